/** Certificate authorities of the operator's own. */
import type { Environment } from "./environment.ts";
import { describeReadFailure } from "./file.ts";

/** The PEM texts of `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE`, each a file or a directory of them; what is wrong goes to `problems`. */
export async function readCaCerts(environment: Environment, problems: string[]): Promise<string[]> {
  const certificates: string[] = [];
  for (const variable of ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]) {
    const path = environment[variable];
    if (!path) continue;
    try {
      const files = (await Deno.stat(path)).isDirectory
        ? Array.from(Deno.readDirSync(path), ({ name }) => `${path}/${name}`)
          .filter((file) => Deno.statSync(file).isFile)
        : [path];
      const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
      const found = texts.filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
      if (found.length === 0) problems.push(`${variable}: ${path} holds no PEM certificate`);
      certificates.push(...found);
    } catch (error) {
      problems.push(`${variable}: ${path}: ${describeReadFailure(error).split(";")[0]}`);
    }
  }
  return certificates;
}
