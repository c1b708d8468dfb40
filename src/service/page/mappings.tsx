/** The mappings on the status page. */
import type { Board, BoardMapping, MappingState, OpenChanges } from "../board.ts";
import { clock, count, distance, duration, plain } from "./words.ts";

/** So many people are named at once; `/api/status` has them all. */
const MOST_NAMED = 50;

const WORDS: Readonly<Record<MappingState, string>> = {
  right: "right",
  waiting: "waiting",
  failed: "failed",
  withheld: "withheld",
  differs: "differs",
};

/** Those that need somebody come first. */
const ORDER: readonly MappingState[] = ["failed", "withheld", "differs", "waiting", "right"];

function People({ changes }: { changes: OpenChanges }) {
  const users = changes.users ?? [];
  const more = users.length - MOST_NAMED;
  if (users.length === 0) return null;
  return (
    <ul class="people">
      {users.slice(0, MOST_NAMED).map((user) => (
        <li>
          <bdi>{plain(user)}</bdi>
        </li>
      ))}
      {more > 0 && <li>and {more} more</li>}
    </ul>
  );
}

/** A note that can be opened if there is more to see. */
function Note({ id, title, changes, text }: {
  id: string;
  title: string;
  changes: OpenChanges;
  text?: string;
}) {
  if (changes.count === 0) return null;
  if (!changes.users && !text) return <p class="note">{title}</p>;
  return (
    <details id={id} class="note">
      <summary>{title}</summary>
      {text && <p>{plain(text)}</p>}
      <People changes={changes} />
    </details>
  );
}

/** How it is and since when, in a line. */
function describeState({ state, last_right_at, not_right_seconds, last_sync_at }: BoardMapping, now: string) {
  if (state === "waiting") return "its first sync has not ended";
  if (state === "right" && last_sync_at) return `looked at ${distance(last_sync_at, now)}`;
  const since = duration(not_right_seconds);
  return last_right_at ? `not right for ${since}` : `not right since the start, ${since} ago`;
}

function Figure({ name, value }: { name: string; value: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={value ? "" : "none"}>{value ?? "–"}</dd>
    </div>
  );
}

function Mapping({ mapping, index, now }: { mapping: BoardMapping; index: number; now: string }) {
  const { okta_group, grafana_team, state, errors, pending, withheld, would, last_sync_at } = mapping;
  return (
    <li class={`mapping ${state}`}>
      <h3>
        <bdi>{plain(okta_group)}</bdi> <span class="arrow" aria-hidden="true">→</span>
        <span class="unseen">into team</span> <bdi>{plain(grafana_team)}</bdi>
      </h3>
      <p class="state">
        <span class="word">{WORDS[state]}</span>{" "}
        <span {...(last_sync_at ? { title: `last sync ${clock(last_sync_at)}` } : {})}>
          {describeState(mapping, now)}
        </span>
      </p>
      <dl class="figures">
        <Figure name="in group" value={mapping.group_members} />
        <Figure name="in team" value={mapping.team_members} />
        <Figure name="added" value={mapping.users_added} />
        <Figure name="removed" value={mapping.users_removed} />
        <Figure name="pending" value={pending.count} />
        <Figure name="withheld" value={withheld?.count ?? 0} />
      </dl>
      {errors.map((error) => <p class="note error">{plain(error)}</p>)}
      {withheld && (
        <Note
          id={`withheld-${index}`}
          title={`${count(withheld.count, "change")} withheld (${withheld.reason})`}
          changes={withheld}
          text={withheld.explanation}
        />
      )}
      {would && (
        <>
          <Note id={`add-${index}`} title={`would add ${would.add.count}`} changes={would.add} />
          <Note id={`remove-${index}`} title={`would remove ${would.remove.count}`} changes={would.remove} />
        </>
      )}
      <Note
        id={`pending-${index}`}
        title={`${count(pending.count, "member")} pending: Grafana does not know them yet`}
        changes={pending}
      />
    </li>
  );
}

/** The mappings, those first that need somebody. */
export function Mappings({ board: { mappings, timestamp } }: { board: Board }) {
  const numbered = mappings.map((mapping, index) => ({ mapping, index }));
  numbered.sort((a, b) => ORDER.indexOf(a.mapping.state) - ORDER.indexOf(b.mapping.state));
  return (
    <section aria-labelledby="mappings">
      <h2 id="mappings">Mappings</h2>
      {mappings.length === 0 ? <p class="hint">None.</p> : (
        <ul class="mappings">
          {numbered.map((one) => <Mapping {...one} now={timestamp} />)}
        </ul>
      )}
    </section>
  );
}
