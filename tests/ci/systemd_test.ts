/** The unit: what systemd says of it, and gots run by a systemd of its own, with all that the unit forbids. */
import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { CREDENTIALS, startWorld, type World } from "../../src/simulation/world.ts";
import { freePort } from "../support.ts";
import { call, compile, lacks } from "./tool.ts";

const unit = await Deno.readTextFile(new URL("../../deploy/systemd/gots.service", import.meta.url));
const directory = await Deno.makeTempDir({ prefix: "gots-systemd-" });
await Deno.chmod(directory, 0o755);
addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

const lacksMachine = lacks("systemd-nspawn") || Deno.uid() !== 0;
if (!lacksMachine) await compile(`${directory}/programs/local/bin`);

Deno.test({
  name: "systemd finds no fault with the unit, and calls its exposure 1.5 of 10 at most",
  ignore: lacks("systemd-analyze"),
  async fn() {
    const file = `${directory}/gots.service`;
    await Deno.writeTextFile(file, unit.replace("/usr/local/bin/gots", Deno.execPath())); // one that is here
    assertEquals(await call("systemd-analyze", ["verify", file]), { code: 0, output: "" });
    const args = ["security", "--offline=yes", "--threshold=15", file];
    const { code, output } = await call("systemd-analyze", args);
    assertEquals(code, 0, output);
  },
});

/** What is done when such a line has come to the console. */
type Reaction = readonly [line: RegExp, act: (machine: Deno.ChildProcess) => void | Promise<void>];

const shutDown = (machine: Deno.ChildProcess) => machine.kill("SIGTERM");

/** For the tests: the machine ends when gots has failed for good, and nobody waits long for a restart. */
const DROP_IN = "[Unit]\nOnFailure=exit.target\n[Service]\nRestartSec=100ms\n";

/** Lays out the root of a machine with the unit and these files below /etc; those of credentials only root may read. */
async function layOut(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const place of ["usr", "var/log/journal"]) await Deno.mkdir(`${root}/${place}`, { recursive: true });
  for (const name of ["bin", "lib", "lib64", "sbin"]) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  const etc = {
    "os-release": await Deno.readTextFile("/etc/os-release"),
    "machine-id": "",
    "systemd/system/gots.service": unit,
    "systemd/system/gots.service.d/test.conf": DROP_IN,
    ...files,
  };
  for (const [path, text] of Object.entries(etc)) {
    const mode = path.includes("credentials") ? 0o600 : 0o644;
    await Deno.mkdir(`${root}/etc/${path}`.replace(/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/etc/${path}`, text, { mode });
  }
}

const NSPAWN =
  "systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --console=read-only --boot";
const KERNEL = "systemd.unit=gots.service systemd.show_status=0 systemd.journald.forward_to_console=1";

/**
 * Boots a machine with the programs of this one's /usr, and gots. It shares the network, so that the simulated services
 * can be reached. Each reaction is taken when the one before has been. Gives what the journal has of gots.
 */
async function boot(files: Readonly<Record<string, string>>, ...reactions: Reaction[]): Promise<string> {
  const root = `${directory}/gots-test`;
  await layOut(root, files);
  const places = [`--directory=${root}`, `--overlay-ro=/usr:${directory}/programs:/usr`];
  const machine = new Deno.Command("timeout", {
    args: ["--foreground", "60", ...NSPAWN.split(" "), ...places, ...KERNEL.split(" ")],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  const complaints = new Response(machine.stderr).text();
  let shown = "";
  for await (const text of machine.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    while (reactions[0]?.[0].test(shown)) await reactions.shift()?.[1](machine);
  }
  const { success } = await machine.status;
  const args = ["--unit=gots", "--output=cat", `--directory=${root}/var/log/journal`];
  const { output } = await call("journalctl", args);
  await Deno.remove(root, { recursive: true });
  const complained = await complaints;
  if (!success) throw new Error(complained + output);
  return output;
}

/** The configuration that leads to a world of one group. */
function configure({ okta, grafana }: World, others: Record<string, Record<string, unknown>> = {}) {
  const mappings = [{ okta_group: "Engineering", grafana_team: "Engineers" }];
  const [domain, url] = [okta.url, grafana.url];
  return {
    "gots/config.yaml": JSON.stringify({
      ...others,
      okta: { domain, ...others.okta },
      grafana: { url, ...others.grafana },
      sync: { mappings },
    }),
  };
}

const TOKENS = {
  "gots/credentials/okta_api_token": CREDENTIALS.apiToken,
  "gots/credentials/grafana_api_key": CREDENTIALS.grafanaToken,
};

const keys = await generateKeyPair("ES256", { extractable: true });
const KEY_AND_PASSWORD = {
  "gots/credentials/okta_private_key": await exportPKCS8(keys.privateKey),
  "gots/credentials/grafana_password": "admin\n",
};
const OTHER_SIGN_IN = {
  okta: { auth_method: "oauth", oauth: { client_id: CREDENTIALS.clientId, key_id: "k" } },
  grafana: { username: "admin" },
};

for (
  const [what, credentials, sections] of [
    ["tokens", TOKENS, {}],
    ["a private key and a password", KEY_AND_PASSWORD, OTHER_SIGN_IN],
  ] as const
) {
  Deno.test({
    name:
      `under systemd gots signs in with ${what} from files of root alone, syncs, and stops when it is told`,
    ignore: lacksMachine,
    async fn() {
      await using world = startWorld();
      world.okta.registerKey({ ...await exportJWK(keys.publicKey), kid: "k" });
      world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
      const files = { ...configure(world, sections), ...credentials };
      const journal = await boot(files, [/Sync completed/, shutDown]);
      assertEquals(world.grafana.state.membersOf("Engineers"), ["alice@example.com"]);
      assertMatch(journal, /Shutdown complete\. Goodbye!/);
      assertMatch(journal, /gots\.service: Deactivated successfully/);
      assertFalse(/"level":"(WARNING|ERROR|CRITICAL)"/.test(journal), journal);
    },
  });
}

Deno.test({
  name: "under systemd every change has its line in the journal, however many there are at once",
  ignore: lacksMachine,
  async fn() {
    await using world = startWorld();
    const people = Array.from({ length: 1_000 }, (_, i) => world.addPerson(`person${i}@example.com`));
    world.okta.addGroup("Engineering", people);
    const impatient = { "systemd/journald.conf": "[Journal]\nRateLimitBurst=50\n" };
    const journal = await boot({ ...configure(world), ...TOKENS, ...impatient }, [
      /Sync completed/,
      shutDown,
    ]);
    assertEquals(journal.match(/Added user person\d+@/g)?.length, 1_000);
  },
});

Deno.test({
  name: "under systemd gots is not started again when a credential is missing: it says which, and stays down",
  ignore: lacksMachine,
  async fn() {
    await using world = startWorld();
    const { "gots/credentials/okta_api_token": _, ...credentials } = TOKENS;
    const journal = await boot({ ...configure(world), ...credentials }, [/Scheduled restart job/, shutDown]);
    assertMatch(
      journal,
      /okta\.api_token: OKTA_API_TOKEN_FILE points to .*okta_api_token: this file is empty/,
    );
    assertMatch(journal, /status=78/);
    assertFalse(journal.includes("Scheduled restart job"));
  },
});

Deno.test({
  name: "under systemd gots is started again when its port was taken, and then answers on it",
  ignore: lacksMachine,
  async fn() {
    await using world = startWorld();
    world.okta.addGroup("Engineering", [world.addPerson("alice@example.com")]);
    const port = freePort();
    const other = Deno.listen({ hostname: "127.0.0.1", port });
    const files = {
      ...configure(world, { metrics: { enabled: true, host: "127.0.0.1", port } }),
      ...TOKENS,
      "gots/credentials/metrics_token": "a-token-for-metrics",
    };
    const answers: number[] = [];
    const ask = async (machine: Deno.ChildProcess) => {
      for (const path of ["health", "metrics"]) {
        const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
        await answer.body?.cancel();
        answers.push(answer.status);
      }
      shutDown(machine);
    };
    const journal = await boot(files, [/restart counter is at 1/, () => other.close()], [
      /Sync completed/,
      ask,
    ]);
    assertMatch(journal, /another program uses this port/);
    assertEquals(answers, [200, 401]);
  },
});
