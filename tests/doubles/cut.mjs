// Cuts GitHub's OpenAPI description to the operations that the program uses (operations.json): whole, it takes Prism
// nine seconds and 330 MB to read. Fails when GitHub does not describe one of them.
//
// node cut.mjs OUTPUT
import { readFileSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, here), "utf8"));

const whole = read("node_modules/@octokit/openapi/generated/api.github.com.deref.json");
const operations = read("operations.json");
const paths = {};
for (const operation of operations) {
  const [method, path] = operation.split(" ");
  const described = whole.paths[path]?.[method.toLowerCase()];
  if (!described) {
    throw new Error(`GitHub's description has no ${operation}`);
  }
  paths[path] ??= {};
  paths[path][method.toLowerCase()] = described;
}
const { openapi, info } = whole;
writeFileSync(process.argv[2], JSON.stringify({ openapi, info, servers: [{ url: "https://api.github.com" }], paths }));
