/** The mappings on the status page. */
import type { Board, BoardMapping, MappingState, OpenChanges } from "../board.ts";
import { clock, count, distance, duration, plain } from "./words.ts";

/** So many people are named at once; `/api/status` has them all. */
const MOST_NAMED = 50;

const WORDS: Readonly<Record<MappingState, string>> = {
  in_sync: "in sync",
  waiting: "waiting",
  failed: "failed",
  on_hold: "on hold",
  out_of_sync: "out of sync",
};

/** Those that need somebody come first. */
const ORDER: readonly MappingState[] = ["failed", "on_hold", "out_of_sync", "waiting", "in_sync"];

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
function describeState(
  { state, last_in_sync_at, out_of_sync_seconds, last_sync_at }: BoardMapping,
  now: string,
) {
  if (state === "waiting") return "its first sync has not ended";
  if (state === "in_sync" && last_sync_at) return `checked ${distance(last_sync_at, now)}`;
  const since = duration(out_of_sync_seconds);
  return last_in_sync_at ? `out of sync for ${since}` : `out of sync since startup, ${since} ago`;
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
  const { okta_group, grafana_team, state, errors, pending, on_hold, would, last_sync_at } = mapping;
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
        <Figure name="on hold" value={on_hold?.count ?? 0} />
      </dl>
      {errors.map((error) => <p class="note error">{plain(error)}</p>)}
      {on_hold && (
        <Note
          id={`on-hold-${index}`}
          title={`${count(on_hold.count, "change")} on hold (${on_hold.reason})`}
          changes={on_hold}
          text={on_hold.explanation}
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
