// The page around the picture: the verdict, a card for each part of health, and the events. The node says it all in words.
"use strict";
import { isOld, watchForEver } from "./picture.js";
import { language, say } from "./words.js";

const at = (id) => document.getElementById(id);

function card({ name, rows }) {
  const box = document.createElement("div");
  box.className = "card";
  const title = document.createElement("h2");
  title.textContent = name;
  const list = document.createElement("dl");
  for (const row of rows) {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = row.name;
    dd.textContent = row.words;
    if (row.bad) dd.className = "bad";
    list.append(dt, dd);
  }
  box.append(title, list);
  return box;
}

function tell(words, tone) {
  at("verdict").textContent = words;
  at("verdict").className = tone;
}

function showHealth(told) {
  at("node").textContent = told.node;
  if (told.tone === "good" && isOld()) tell(say("running, but no live picture here"), "wait");
  else tell(told.verdict, told.tone);
  at("privacy").textContent = told.privacy;
  at("cards").replaceChildren(...told.cards.map(card));
}

function showEvent(event) {
  const row = document.createElement("tr");
  for (const text of [event.at, event.topic, Object.entries(event.data).map(([k, v]) => `${k} = ${v}`).join(", ")]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(cell);
  }
  // The newest first, by its own time: what is told later may have happened before. These times sort as text.
  const rows = [...at("events").rows];
  at("events").insertBefore(row, rows.find((other) => other.cells[0].textContent <= event.at) ?? null);
  while (at("events").rows.length > 100) at("events").deleteRow(-1);
}

document.documentElement.lang = language;
tell(say("waiting for the node…"), "wait");
at("picture").alt = say("The masked picture of this camera");
at("happened").textContent = say("Events");
watchForEver();

const source = new EventSource("/live");
source.addEventListener("health", (message) => showHealth(JSON.parse(message.data)));
source.addEventListener("event", (message) => showEvent(JSON.parse(message.data)));
source.addEventListener("open", () => at("events").replaceChildren());
source.addEventListener("error", () => tell(say("the node does not answer"), "bad"));
