// Holds files against the official schemas of their formats. Arguments: the folder of the schemas, then pairs of format and file.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const [schemas, ...pairs] = process.argv.slice(2);
const load = (name) => require(path.join(schemas, "node_modules", name));
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const schemaOf = { sarif: path.join(schemas, "sarif.json"), ctrf: path.join(schemas, "node_modules/ctrf/dist/ctrf-schema-0.0.json") };
let wrong = 0;
for (let at = 0; at < pairs.length; at += 2) {
  const schema = read(schemaOf[pairs[at]]);
  const Ajv = load("ajv");
  // A pattern of the schema of SARIF is none of Unicode's.
  const ajv = new (Ajv.default ?? Ajv)({ strict: false, allErrors: true, unicodeRegExp: false });
  const formats = load("ajv-formats");
  (formats.default ?? formats)(ajv);
  const holds = ajv.compile(schema);
  if (!holds(read(pairs[at + 1]))) {
    wrong += 1;
    console.error(pairs[at + 1], JSON.stringify(holds.errors, null, 1));
  }
}
console.log(`${pairs.length / 2} files held against their schemas, ${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
