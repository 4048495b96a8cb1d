// The live page: the nodes that its address names, up to four, each under a lease of its own. The address is the whole memory:
// #LEASE:PASSWORD for the node that serves it, &HOST:PORT/LEASE:PASSWORD for each further one; a token may stand for both words.
"use strict";

import { Pane } from "./pane.js";
import { language, say } from "./words.js";

const MOST = 4;
const wall = document.getElementById("wall"), told = document.getElementById("told");
const panes = [];

// What one part of an address names; null when it names no lease.
function leaseOf(part, host) {
  const slash = part.lastIndexOf("/");
  const words = decodeURIComponent(part.slice(slash + 1)).split(":");
  const there = slash < 0 ? host : part.slice(0, slash);
  if (!/^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(there)) return null;
  if (words.length === 1 && words[0].split(".").length === 3) return { host: there, token: words[0] };
  return words[0] && words[1] ? { host: there, lease: words[0], password: words.slice(1).join(":") } : null;
}

function leasesOf(fragment, host) {
  try {
    return fragment.split("&").map((part) => leaseOf(part, host)).filter((lease) => lease !== null);
  } catch {
    return []; // no address at all: a % that stands for nothing
  }
}

// Every lease in a text that holds the address of a live page, be it a wall's.
function leasesIn(text) {
  const found = /https:\/\/([^\s/#]+)\/?#(\S+)/.exec(text);
  return found === null ? [] : leasesOf(found[2], found[1]);
}

function remember() {
  const parts = panes.map(({ lease: { host, lease, password, token } }) => {
    const words = encodeURIComponent(token || `${lease}:${password}`);
    return host === location.host ? words : `${host}/${words}`;
  });
  history.replaceState(null, "", `#${parts.join("&")}`);
}

function arrange() {
  wall.dataset.panes = String(panes.length);
  for (const pane of panes) pane.root.querySelector(".remove").hidden = panes.length < 2;
  document.getElementById("more").hidden = panes.length === 0 || panes.length >= MOST;
}

function add(lease) {
  if (panes.length >= MOST) return say("Four nodes at most are on one page.");
  if (panes.some((pane) => pane.lease.host === lease.host)) return say("{host} is on this page already.", { host: lease.host });
  const root = document.getElementById("pane").content.firstElementChild.cloneNode(true);
  wall.append(root);
  const pane = new Pane(root, lease), remove = root.querySelector(".remove");
  panes.push(pane);
  remove.textContent = "×";
  remove.title = remove.ariaLabel = say("Take this node off the page");
  remove.onclick = () => {
    pane.close();
    panes.splice(panes.indexOf(pane), 1);
    root.remove();
    arrange();
    remember();
  };
  arrange();
  return "";
}

function addFrom(text) {
  const leases = leasesIn(text);
  told.textContent = leases.length === 0 ? say("What was copied is no address of a node's live page.") : leases.map(add).filter(Boolean).join(" ");
  remember();
}

function begin() {
  if (!("VideoDecoder" in window)) return say("This browser cannot decode the picture (WebCodecs): take Chromium.");
  const leases = leasesOf(location.hash.slice(1), location.host);
  return leases.length === 0 ? say("This address bears no lease: ask for a new one.") : leases.map(add).filter(Boolean).join(" ");
}

document.documentElement.lang = language;
const button = document.getElementById("add");
button.textContent = say("Add the node whose address was copied");
document.getElementById("drop").textContent = say("Or drop its address here.");
button.onclick = () => {
  const copied = navigator.clipboard?.readText ? navigator.clipboard.readText() : Promise.reject(new Error("none"));
  copied.then(addFrom, () => { told.textContent = say("This browser does not show what was copied: drop the address here."); });
};
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  addFrom(event.dataTransfer.getData("text/uri-list") || event.dataTransfer.getData("text/plain"));
});
addEventListener("hashchange", () => location.reload());
arrange();
told.textContent = begin();
