/** Holds the service's state: what happens goes in at one place. */
import type { Surroundings } from "../http/types.ts";
import type { Happening, Moment, News } from "./happening.ts";
import { beginState, reduce, type ServiceState } from "./state.ts";

/** Told of a happening, with the state before it and after it. */
export type Follower = (happening: Happening, before: ServiceState, after: ServiceState) => void;

/** The state of a service, and the one way to change it. */
export interface Store {
  state(): ServiceState;
  /** Notes what happens now. */
  tell(news: News): void;
  /** Tells of everything that happens from now on. */
  follow(follower: Follower): void;
  /** Now, by both clocks. */
  moment(): Moment;
}

/** The store of a service that begins now. It is made before the log, so that it misses no line. */
export function createStore({ now, monotonic }: Pick<Surroundings, "now" | "monotonic">): Store {
  const moment = (): Moment => ({ at: now(), monotonic: monotonic() });
  const followers: Follower[] = [];
  let state = beginState(moment());
  return {
    state: () => state,
    tell(news) {
      const happening = { ...news, ...moment() };
      const before = state;
      const after = state = reduce(before, happening);
      for (const follower of followers) follower(happening, before, after);
    },
    follow: (follower) => void followers.push(follower),
    moment,
  };
}
