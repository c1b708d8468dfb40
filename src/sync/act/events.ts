/** What came of actions. Every log line, audit line, counter and report of a change is a function of these. */
import type { Action, Ambiguous, Change, CountedOn, OnHold } from "../plan/actions.ts";

/** What came of one action, or what stood in the way of any. */
export type Event =
  /** It took effect. */
  | { readonly kind: "done"; readonly action: Action; readonly id?: number | undefined }
  /** It was so already: by a request whose answer was lost, or by someone else. */
  | { readonly kind: "found"; readonly action: Action; readonly id?: number | undefined }
  /** A dry run would do it. */
  | { readonly kind: "planned"; readonly action: Action }
  /** The server does not know the person: nothing was written. */
  | { readonly kind: "unknown"; readonly action: Action }
  | {
    readonly kind: "failed";
    readonly action: Action;
    readonly error: Error;
    /** How many other actions were not tried because of it. */
    readonly untried: number;
    /** It failed in an earlier cycle, was told then, and is not tried in this one. */
    readonly isOld?: boolean;
  }
  /** It is not carried out, for safety. */
  | { readonly kind: "on_hold"; readonly action: Change; readonly hold: OnHold }
  /** Somebody could not be put into the team, because several accounts could be theirs. */
  | { readonly kind: "ambiguous"; readonly hold: Ambiguous }
  /** A mapping could not be synced: its group or its team could not be read, or the team could not be created. */
  | { readonly kind: "unsynced"; readonly source: CountedOn; readonly error: Error }
  /** Missing members of a mapping cannot be brought in. */
  | {
    readonly kind: "blocked";
    readonly source: CountedOn;
    readonly error: Error;
    /** The person it concerns, if it is one person. */
    readonly address?: string;
    /** It was told in an earlier cycle. */
    readonly isOld: boolean;
  };

/** Takes each event as it happens. It must not throw. */
export type Emit = (event: Event) => void;

/** How many changes of these events took effect. */
export function countDone(events: readonly Event[], kind: "add" | "remove"): number {
  return events.filter((event) => event.kind === "done" && event.action.kind === kind).length;
}

/** By how many members these events made a team larger. */
export function growthBy(events: readonly Event[]): number {
  return countDone(events, "add") - countDone(events, "remove");
}
