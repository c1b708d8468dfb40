/** The status page: one look at how everything is. */
import { html } from "hono/html";
import type { Board } from "../board.ts";
import { Changes } from "./changes.tsx";
import { Mappings } from "./mappings.tsx";
import { clock, count, distance, duration, plain } from "./words.ts";

function Tile({ name, value, detail, isBad = false }: {
  name: string;
  value: string;
  detail?: string | undefined;
  isBad?: boolean;
}) {
  return (
    <div class={isBad ? "bad" : ""}>
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        {detail && <span class="detail">{detail}</span>}
      </dd>
    </div>
  );
}

/** What is left of the tightest limit. */
function RateLimit({ rate_limits }: Pick<Board, "rate_limits">) {
  const [tightest] = [...rate_limits].sort((a, b) => a.remaining / a.limit - b.remaining / b.limit);
  if (!tightest) return <Tile name="Okta's limit left" value="–" detail="no limit told yet" />;
  const { remaining, limit, family } = tightest;
  return (
    <Tile
      name="Okta's limit left"
      value={`${Math.floor(100 * remaining / limit)} %`}
      detail={`${remaining} of ${limit} (${family})`}
      isBad={remaining / limit < 0.1}
    />
  );
}

function Tiles({ board }: { board: Board }) {
  const { mappings, last_cycle, next_cycle_at, timestamp } = board;
  const right = mappings.filter(({ state }) => state === "right").length;
  const waiting = mappings.filter(({ state }) => state === "waiting").length;
  const sum = (value: (mapping: Board["mappings"][number]) => number) =>
    mappings.reduce((all, mapping) => all + value(mapping), 0);
  const withheld = sum((mapping) => mapping.withheld?.count ?? 0);
  return (
    <dl class="tiles">
      <Tile
        name="Right"
        value={`${right} of ${mappings.length}`}
        detail={mappings.length === 1 ? "mapping" : "mappings"}
        isBad={right + waiting < mappings.length}
      />
      <Tile name="Pending" value={String(sum(({ pending }) => pending.count))} detail="unknown to Grafana" />
      <Tile name="Withheld" value={String(withheld)} detail="not carried out" isBad={withheld > 0} />
      <Tile
        name="Last cycle"
        value={last_cycle ? distance(last_cycle.ended_at, timestamp) : "–"}
        detail={last_cycle ? `number ${last_cycle.cycle}, ${last_cycle.kind}` : "none has ended yet"}
      />
      <Tile
        name="Next cycle"
        value={next_cycle_at ? distance(next_cycle_at, timestamp) : "–"}
        detail={`every ${duration(board.interval_seconds)}`}
      />
      <RateLimit rate_limits={board.rate_limits} />
    </dl>
  );
}

function Filter({ search }: { search: string }) {
  return (
    <form method="get" role="search" class="filter">
      <label for="q">Team, group or person</label>
      <input id="q" name="q" type="search" value={search} autocomplete="off" spellcheck={false} />
      <button type="submit">Filter</button>
      {search !== "" && <a href="?">Show all</a>}
    </form>
  );
}

/** The page as a document. `whole` is unfiltered. */
export function renderPage(whole: Board, shown: Board, search: string) {
  const { status, message, dry_run, timestamp, version, commit, uptime_seconds } = whole;
  const isNothingFound = search !== "" && shown.mappings.length + shown.changes.length === 0;
  return html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{`${status} · gots`}</title>
        <link rel="icon" href="icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="status.css" />
        <script src="status.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#mappings">Skip to the mappings</a>
        <header>
          <p class="name">gots</p>
          <p class="purpose">Grafana teams equal to Okta groups</p>
        </header>
        <main>
          <div class={`overall ${status}`}>
            <h1>{status}</h1>
            <p>{plain(message)}</p>
          </div>
          <p id="stale" class="stale" role="status" hidden>
            The service does not answer: what you see is from {clock(timestamp)}.
          </p>
          {dry_run && <p class="banner">Dry run: nothing is written. What would change is shown below.</p>}
          <Tiles board={whole} />
          <Filter search={search} />
          {isNothingFound
            ? (
              <p class="hint">
                No mapping and no change has “<bdi>{plain(search)}</bdi>” in it.
              </p>
            )
            : (
              <>
                <Mappings board={shown} />
                <Changes board={shown} />
              </>
            )}
          <p class="made">
            Made <time datetime={timestamp}>{clock(timestamp)}</time>; up for {duration(uptime_seconds)}.
          </p>
        </main>
        <footer>
          <p>
            gots {version} ({commit}) · {count(whole.mappings.length, "mapping")} ·{" "}
            <a href="api/status">JSON</a> · <a href="metrics">metrics</a> · <a href="health">health</a>
          </p>
          <button id="pause" type="button" aria-pressed="false" hidden>Stop refreshing</button>
        </footer>
      </body>
    </html>
  )}`;
}
