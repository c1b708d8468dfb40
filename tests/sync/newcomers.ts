/** People whom Grafana does not know, and Grafanas that treat their accounts differently. */
import { type CycleWorld, refuse } from "./cycle_world.ts";
import { mapping } from "./fixtures.ts";

/** One group into one team. */
export const ENGINEERS = [mapping("Engineering", "Engineers")];
/** The server administrator. */
export const PASSWORD = { username: "admin", password: "admin" } as const;
/** The route that makes accounts. */
export const CREATE = /^\/api\/admin\/users$/;
/** The route of the settings. */
export const SETTINGS = /^\/api\/admin\/settings$/;
/** Somebody whom Grafana does not know. */
export const ANN = "ann.lee@example.com";

/** Settings with which everybody is created. */
export const CREATING = { ...PASSWORD, missing_users: "create" } as const;

/** A Grafana that lets created users sign in, one that locks them out, and one that does not say. */
export const GRAFANAS = {
  "lets them sign in": ({ world }: CycleWorld) => {
    world.grafana.state.version = "10.4.2";
    world.grafana.state.allowInsecureEmailLookup = true;
  },
  "is older than the lock-out": () => {},
  "locks them out": ({ world }: CycleWorld) => {
    world.grafana.state.version = "10.4.2";
  },
  "does not say": ({ world }: CycleWorld) => {
    Object.assign(world.grafana.state, { version: "10.4.2", hideVersion: true });
    world.grafana.intercept = refuse("GET", SETTINGS, 403, { message: "no" });
  },
} as const;
/** The name of one. */
export type Kind = keyof typeof GRAFANAS;

/** A group with somebody whom Grafana does not know, and somebody who is on the server only. */
export function fill(cycles: CycleWorld, kind: Kind = "is older than the lock-out") {
  GRAFANAS[kind](cycles);
  const { world } = cycles;
  world.grafana.state.addUser({ login: "bob", email: "bob@example.com", orgId: null });
  world.okta.addGroup("Engineering", [world.okta.addUser(ANN), world.okta.addUser("bob@example.com")]);
}

/** Whether Ann's first sign-in by OAuth succeeds. */
export function canSignIn({ world }: CycleWorld): boolean {
  try {
    world.grafana.state.signIn({ email: ANN, login: ANN, name: "Ann Lee" });
    return true;
  } catch {
    return false;
  }
}

/** The warnings since they were last asked for. */
export const warnings = (cycles: CycleWorld) =>
  cycles.messages().filter((line) => line.startsWith("WARNING"));
/** Whether one of these lines says this. */
export const isOf = (lines: readonly string[], text: string) => lines.some((line) => line.includes(text));
