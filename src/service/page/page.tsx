/** The status page: one look at how everything is. */
import { html } from "hono/html";
import type { Board } from "../board.ts";
import { Changes } from "./changes.tsx";
import { Mappings } from "./mappings.tsx";
import { Tiles } from "./tiles.tsx";
import { clock, count, duration, plain } from "./words.ts";

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
          <p class="purpose">Grafana teams in sync with Okta groups</p>
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
            Generated <time datetime={timestamp}>{clock(timestamp)}</time>; up for {duration(uptime_seconds)}.
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
