// The page's seal outside a browser: one line of JSON for each frame in, what the seal says of it out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Seal } = await import(pathToFileURL(process.argv[2]));
let seal = null;
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if (told.authority) seal = new Seal(told.authority);
  else if (told.waited !== undefined) seal.wait(told.waited);
  else await seal.take(Uint8Array.from(Buffer.from(told.data, "base64")), told);
  console.log(JSON.stringify({ state: seal.state, why: seal.why, parts: seal.parts, unproved: seal.unproved }));
}
