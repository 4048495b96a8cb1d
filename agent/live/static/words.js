// What the live page says, in the browser's language: English, or French.
"use strict";

import { FRENCH } from "./french.js";

const ENGLISH = {
  "asking": "Asking to look…",
  "no lease": "This address bears no lease: ask for a new one.",
  "no decoder": "This browser cannot decode the picture (WebCodecs): take Chromium.",
  "masked": "Masked picture, live.",
  "closed": "Closed picture: the node says why in it.",
  "late": "Nothing new for {0} s.",
  "over": "It is over: {0}",
  "unreachable": "{0} cannot be reached, or this browser does not trust it: open its own address once",
  "broke off": "the line to {0} broke",
  "looks": "Looking: {0}",
  "verified": "Verified: every frame until now is the one that the node signed.",
  "not yet": "Not verified yet: the first signed part is not whole here.",
  "broken": "Broken here: {0}. Do not trust this picture.",
  "unknown": "Unknown authority: {0}. Compare it with the town's, then keep it.",
  "pinned": "Authority kept on this machine: {0}.",
  "changed": "The authority is not the one kept on this machine. The one here: {0}.",
  "pin": "It is the town's: keep it",
  "add": "Add the node whose address was copied",
  "drop": "Or drop its address here.",
  "remove": "Take this node off the page",
  "full": "Four nodes at most are on one page.",
  "there already": "{0} is on this page already.",
  "no address": "What was copied is no address of a node's live page.",
  "no clipboard": "This browser does not show what was copied: drop the address here.",
};
const WORDS = navigator.language.startsWith("fr") ? FRENCH : ENGLISH;

export const say = (name, ...values) => WORDS[name].replace(/\{(\d)\}/g, (_, at) => values[Number(at)]);
