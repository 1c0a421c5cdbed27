// SPDX-License-Identifier: AGPL-3.0-or-later
// The worker the engine runs in. Loads it, hands the page's messages over, and says when it has crashed.

import init, { pick, receive, start } from "/engine.js";

// Messages may come before the engine is loaded.
const early = [];
let take = (text) => early.push(text);
self.addEventListener("message", (event) => take(event.data));

// After a trap the module's memory is in no known state: no further call, and the page starts another worker.
function stopped() {
  take = () => {};
  self.postMessage('{"engine":"stopped"}');
  self.close();
}
self.addEventListener("error", stopped);
self.addEventListener("unhandledrejection", stopped);

if (typeof WebAssembly === "object") {
  await init();
  start();
  // A text is the engine's; a file comes with the name under which a command will ask for it.
  take = (data) => (typeof data === "string" ? receive(data) : pick(data.place, data.file));
  early.forEach(take);
} else {
  self.postMessage('{"engine":"unsupported","missing":"WebAssembly"}');
}
