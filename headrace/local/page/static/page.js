// Shows times in the reader's zone, and looks again while something changes. The page is whole without it.
"use strict";

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const WAIT_AFTER_FAILURE = 5000;

function localize(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    time.title = time.textContent;
    time.textContent = FORMAT.format(when);
  }
}

function isBeingRead(region) {
  const chosen = document.getSelection();
  return chosen !== null && !chosen.isCollapsed && region.contains(chosen.anchorNode);
}

// What a reader has opened, scrolled or reached by keyboard inside a region stays so in the new one.
function keep(region, fresh) {
  for (const opened of region.querySelectorAll("details[open][id]")) {
    fresh.querySelector(`#${CSS.escape(opened.id)}`)?.setAttribute("open", "");
  }
}

function findFocus(region) {
  const focused = document.activeElement;
  if (!focused || !region.contains(focused)) return null;
  if (focused.id) return (root) => root.querySelector(`#${CSS.escape(focused.id)}`);
  const link = focused.getAttribute("href");
  if (link) return (root) => root.querySelector(`a[href="${CSS.escape(link)}"]`);
  const parent = focused.closest("details[id]");
  return parent ? (root) => root.querySelector(`#${CSS.escape(parent.id)} > summary`) : null;
}

function readScrolls(region) {
  return [...region.querySelectorAll("[id][tabindex]")].map((box) => ({
    id: box.id,
    left: box.scrollLeft,
    top: box.scrollTop,
    isAtEnd: box.scrollTop + box.clientHeight >= box.scrollHeight - 4,
  }));
}

function restoreScrolls(region, scrolls) {
  for (const { id, left, top, isAtEnd } of scrolls) {
    const box = region.querySelector(`#${CSS.escape(id)}`);
    if (!box) continue;
    box.scrollLeft = left;
    box.scrollTop = isAtEnd && box.dataset.follow !== undefined ? box.scrollHeight : top;
  }
}

function replace(region, fresh) {
  keep(region, fresh);
  if (region.innerHTML === fresh.innerHTML || isBeingRead(region)) return;
  const focus = findFocus(region);
  const scrolls = readScrolls(region);
  region.replaceChildren(...document.adoptNode(fresh).childNodes);
  restoreScrolls(region, scrolls);
  focus?.(region)?.focus({ preventScroll: true });
}

function say(words) {
  const pulse = document.getElementById("pulse");
  if (pulse && pulse.textContent !== words) pulse.textContent = words;
}

async function look() {
  const answer = await fetch(location.href, { redirect: "error", cache: "no-store" });
  if (answer.status === 401) return say("This browser is no longer let in: run 'headrace local page' for a new address.");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  localize(found);
  for (const region of document.querySelectorAll("[data-live][id]")) {
    const fresh = found.getElementById(region.id);
    if (fresh) replace(region, fresh);
  }
  say("");
  lookAgain(found.body.dataset.refresh);
}

function lookAgain(seconds) {
  if (!seconds) return;
  setTimeout(() => {
    if (document.visibilityState === "visible") {
      look().catch(() => {
        say("The local cloud does not answer; what is shown is not new.");
        lookAgain(WAIT_AFTER_FAILURE / 1000);
      });
    } else {
      document.addEventListener("visibilitychange", () => lookAgain(0.01), { once: true });
    }
  }, seconds * 1000);
}

localize(document);
for (const box of document.querySelectorAll("[data-follow]")) box.scrollTop = box.scrollHeight;
document.getElementById("answer")?.focus();
lookAgain(document.body.dataset.refresh);
