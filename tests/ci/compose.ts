/** The project's files for Compose: brought up, and what Compose makes of them. */
import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import type { World } from "../../src/simulation/world.ts";
import { directoryWith } from "../support.ts";
import type { Engine } from "./engine.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string | null>>;
  readonly secrets: readonly { readonly source: string; readonly target: string }[];
  readonly configs: readonly { readonly target: string }[];
}

/** What Compose makes of its files. */
export interface Project {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly file?: string; readonly content?: string }>>;
}

/** Both files together, as Compose understands them. */
export async function readDemo({ compose }: Engine): Promise<Project> {
  const files = ["-f", "docker-compose.yml", "-f", "docker-compose.demo.yml"];
  const { code, output } = await compose(ROOT, ...files, "config");
  assertEquals(code, 0, output);
  return parse(output) as Project;
}

/** A directory with `docker-compose.yml`, and all that it asks for. */
async function writeProject({ environment }: World, port: number): Promise<string> {
  const directory = await directoryWith({
    "docker-compose.yml": await Deno.readTextFile(`${ROOT}docker-compose.yml`),
    "config.yaml": await Deno.readTextFile(`${ROOT}config.example.yaml`),
    ".env": `OKTA_DOMAIN=${environment.OKTA_DOMAIN}\nGRAFANA_URL=${environment.GRAFANA_URL}\n`,
    // The simulated services can be reached on this machine's loopback address alone. Whatever ends is to stay so.
    "test.yml": `services: { gots: { network_mode: host, ports: !reset [], restart: "no",
      environment: { METRICS_HOST: 127.0.0.1, METRICS_PORT: ${port} } } }`,
  }, 0o644); // read in the container, by user 1000
  await Deno.mkdir(`${directory}/secrets`);
  for (const name of ["OKTA_API_TOKEN", "GRAFANA_API_KEY"]) {
    const file = `${directory}/secrets/${name.toLowerCase().replaceAll("_", "-")}`;
    await Deno.writeTextFile(file, `${environment[name]}\n`, { mode: 0o400 });
    await Deno.chown(file, 1000, 0);
  }
  return directory;
}

/** Brings `docker-compose.yml` up; `stop` gives the exit status. */
export async function composeUp({ compose, podman }: Engine, world: World, port: number) {
  const directory = await writeProject(world, port);
  const container = "t-gots-1";
  const succeed = async (...args: string[]) => {
    const { code, output } = await compose(
      directory,
      "-p=t",
      "-f=docker-compose.yml",
      "-f=test.yml",
      ...args,
    );
    assertEquals(code, 0, output);
  };
  const inspect = async () => JSON.parse((await podman("inspect", container)).output)[0];
  await succeed("up", "--detach");
  return {
    container,
    inspect,
    async stop(): Promise<number> {
      await succeed("stop");
      const { State: { ExitCode: status } } = await inspect();
      await succeed("down");
      await Deno.remove(directory, { recursive: true });
      return status;
    },
  };
}
