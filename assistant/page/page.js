"use strict";
const SILENT_MS = 4000;
const NO_NEWS = "No news from unknot. If the massager still runs, switch it off at the device.";
const FAILED = "STOP did not get through. Switch the massager off at the device.";
const alarm = document.getElementById("alarm");
let heardAt = performance.now();
let over = false;
let failed = false;

function tell(id, text) {
  const place = document.getElementById(id);
  if (place.textContent !== text) place.textContent = text;
}

const events = new EventSource("events");
events.onmessage = (event) => {
  const told = JSON.parse(event.data);
  heardAt = performance.now();
  over = told.over;
  if (over) events.close();
  delete told.over;
  if (failed) delete told.alarm;
  for (const id in told) tell(id, told[id]);
};

setInterval(() => {
  if (!over && !failed && performance.now() - heardAt > SILENT_MS) tell("alarm", NO_NEWS);
}, 500);

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await fetch("stop", {
      method: "POST", headers: { accept: "application/json" }, signal: AbortSignal.timeout(3000),
    });
    failed = !answer.ok;
  } catch {
    failed = true;
  }
  tell("alarm", failed ? FAILED : "");
});
