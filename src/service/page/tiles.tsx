/** The figures at the top of the status page. */
import { NEAR_SHARE } from "../../http/gate.ts";
import type { Board } from "../board.ts";
import { SLOW_SHARE } from "../judge.ts";
import { serviceName } from "../names.ts";
import { distance, duration } from "./words.ts";

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

/** What is left of the tightest limit, and how long the last cycle waited for it. */
function RateLimit({ board: { rate_limits, last_cycle, interval_seconds } }: { board: Board }) {
  const [tightest] = [...rate_limits].sort((a, b) => a.remaining / a.limit - b.remaining / b.limit);
  if (!tightest) return <Tile name="Okta's limit left" value="–" detail="no limit reported yet" />;
  const { remaining, limit, family } = tightest;
  const waited = last_cycle?.traffic.find(({ service }) => service === "okta")?.waited_seconds ?? 0;
  return (
    <Tile
      name="Okta's limit left"
      value={`${Math.floor(100 * remaining / limit)} %`}
      detail={`${remaining} of ${limit} (${family})${
        waited > 0 ? `; waited ${duration(waited)} for it` : ""
      }`}
      isBad={remaining < limit * NEAR_SHARE || waited > interval_seconds * NEAR_SHARE}
    />
  );
}

/** How long ago the last cycle was, and how long it took. */
function LastCycle({ board: { last_cycle, timestamp, interval_seconds } }: { board: Board }) {
  if (!last_cycle) return <Tile name="Last cycle" value="–" detail="none has ended yet" />;
  const { cycle, kind, started_at, ended_at } = last_cycle;
  const seconds = (Date.parse(ended_at) - Date.parse(started_at)) / 1_000;
  return (
    <Tile
      name="Last cycle"
      value={distance(ended_at, timestamp)}
      detail={`number ${cycle}, ${kind}, took ${duration(seconds)}`}
      isBad={seconds > SLOW_SHARE * interval_seconds}
    />
  );
}

/** How many requests of the last cycle failed, by service. */
function Unanswered({ last_cycle }: Pick<Board, "last_cycle">) {
  const traffic = last_cycle?.traffic ?? [];
  const sum = (key: "requests" | "failed") => traffic.reduce((all, one) => all + one[key], 0);
  const by = traffic.filter(({ failed }) => failed > 0).map(({ service }) => serviceName(service));
  return (
    <Tile
      name="No answer, or 5xx"
      value={last_cycle ? `${sum("failed")} of ${sum("requests")}` : "–"}
      detail={`requests in the last cycle${by.length > 0 ? `: ${by.join(" and ")}` : ""}`}
      isBad={by.length > 0}
    />
  );
}

/** What is to be seen at a glance. */
export function Tiles({ board }: { board: Board }) {
  const { mappings, last_hour, next_cycle_at, timestamp } = board;
  const inSync = mappings.filter(({ state }) => state === "in_sync").length;
  const waiting = mappings.filter(({ state }) => state === "waiting").length;
  const sum = (value: (mapping: Board["mappings"][number]) => number) =>
    mappings.reduce((all, mapping) => all + value(mapping), 0);
  const onHold = sum((mapping) => mapping.on_hold?.count ?? 0);
  return (
    <dl class="tiles">
      <Tile
        name="In sync"
        value={`${inSync} of ${mappings.length}`}
        detail={mappings.length === 1 ? "mapping" : "mappings"}
        isBad={inSync + waiting < mappings.length}
      />
      <Tile name="Pending" value={String(sum(({ pending }) => pending.count))} detail="unknown to Grafana" />
      <Tile name="On hold" value={String(onHold)} detail="not carried out" isBad={onHold > 0} />
      <Tile
        name="Last hour"
        value={`+${last_hour.users_added} −${last_hour.users_removed}`}
        detail="added and removed"
      />
      <LastCycle board={board} />
      <Tile
        name="Next cycle"
        value={next_cycle_at ? distance(next_cycle_at, timestamp) : "–"}
        detail={`every ${duration(board.interval_seconds)}`}
      />
      <Unanswered last_cycle={board.last_cycle} />
      <RateLimit board={board} />
    </dl>
  );
}
