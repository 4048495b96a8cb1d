// Parses the file named on the command line; prints one line for each diagnostic as `severity code path message`.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  for (const found of diagnostics) {
    console.log([found.severity, found.code, found.path.join("."), found.message].join(" "));
  }
  if (document) {
    console.log(`parsed: ${document.channels().all().length} channels, ${document.operations().all().length} operations`);
  }
  process.exit(document ? 0 : 1);
});
