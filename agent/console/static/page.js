"use strict";
const at = (id) => document.getElementById(id);
const SAID_ABOVE = ["privacy"];

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i += 1; }
  return `${n.toFixed(i ? 1 : 0)} ${units[i]}`;
}

function said(key, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (key.endsWith("bytes")) return bytes(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(1);
  if (typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${said(k, v)}`).join(", ") || "–";
  return String(value);
}

function card(name, fields) {
  const box = document.createElement("div");
  box.className = "card";
  const title = document.createElement("h2");
  title.textContent = name;
  const list = document.createElement("dl");
  for (const [key, value] of Object.entries(fields)) {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = key.replace(/_(bytes|s|px|ms|c)$/, "").replaceAll("_", " ");
    dd.textContent = said(key, value);
    if (value === "failed") dd.className = "bad";
    list.append(dt, dd);
  }
  box.append(title, list);
  return box;
}

// Each part of health, in the order of the document: a feature that fills one is shown without a word here.
function parts(health) {
  const isPart = ([name, value]) => value && typeof value === "object" && !Array.isArray(value) && !SAID_ABOVE.includes(name);
  return Object.entries(health).filter(isPart);
}

function showHealth(health) {
  at("node").textContent = `${health.node} · ${health.version}`;
  const privacy = health.privacy || {};
  const failed = Object.entries(health.components || {}).filter(([, state]) => state === "failed").map(([name]) => name);
  const verdict = at("verdict");
  if (failed.length) { verdict.textContent = `failed: ${failed.join(", ")}`; verdict.className = "bad"; }
  else if (health.camera && health.camera.reason) { verdict.textContent = health.camera.reason; verdict.className = "bad"; }
  else if (health.config_trouble) { verdict.textContent = `configuration: ${health.config_trouble}`; verdict.className = "bad"; }
  else if (privacy.state === "opaque") { verdict.textContent = "picture closed"; verdict.className = "wait"; }
  else if (mark()) { verdict.textContent = "running, but no live picture here"; verdict.className = "wait"; }
  else { verdict.textContent = "running, masked"; verdict.className = "good"; }
  at("privacy").textContent = privacy.state === "opaque"
    ? `The whole picture is covered: ${privacy.reason}`
    : `${privacy.masks} mask(s) lie on the picture; the view is ${privacy.view ? privacy.view.state : "unknown"}.`;
  at("cards").replaceChildren(...parts(health).map(([name, fields]) => card(name, fields)));
}

function showEvent(event) {
  const row = document.createElement("tr");
  for (const text of [event.at, event.topic, Object.entries(event.data).map(([k, v]) => `${k} = ${v}`).join(", ")]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(cell);
  }
  at("events").prepend(row);
  while (at("events").rows.length > 100) at("events").deleteRow(-1);
}

const source = new EventSource("/live");
source.addEventListener("health", (message) => showHealth(JSON.parse(message.data)));
source.addEventListener("event", (message) => showEvent(JSON.parse(message.data)));
source.addEventListener("open", () => at("events").replaceChildren());
source.addEventListener("error", () => { at("verdict").textContent = "the node does not answer"; at("verdict").className = "bad"; });
