/** Programs from outside that the tests here call. */

function isHere(command: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${command}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether a test has to be left out because a program is missing. In CI it is not: there the test fails. */
export function lacks(command: string): boolean {
  return !isHere(command) && Deno.env.get("CI") === undefined;
}

/** Runs a program to its end; `output` is what it printed on both streams. */
export async function call(
  command: string,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    stdin: "null",
    ...options,
    args: [...args],
  }).output();
  return { code, output: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}

/** Compiles `gots` as users do, into `directory`, and gives what was said of it. */
export async function compile(directory: string): Promise<string> {
  const args = ["task", "--quiet", "compile", "--directory", directory];
  const { code, output } = await call(Deno.execPath(), args, {
    cwd: new URL("../../", import.meta.url).pathname,
  });
  if (code !== 0) throw new Error(output);
  return output;
}
