// SPDX-License-Identifier: AGPL-3.0-or-later
// Starts the interface. The only script of ours that is not made from Rust: what Trusted Types
// wants said in one place, and the look that must stand before the first paint.

const ours = ["/engine-worker.js", "/sw.js"];
const rules = {
  createScriptURL(name) {
    if (ours.includes(name)) return name;
    throw new TypeError("not a script of this app");
  },
};
const policy = globalThis.trustedTypes?.createPolicy("nodoor", rules) ?? rules;

// The page asks for these two by name.
globalThis.nodoorWorker = () =>
  new Worker(policy.createScriptURL("/engine-worker.js"), { type: "module" });
globalThis.nodoorServiceWorker = () =>
  navigator.serviceWorker.register(policy.createScriptURL("/sw.js"));

try {
  const look = JSON.parse(localStorage.getItem("look") ?? "{}");
  const root = document.documentElement;
  if (look.theme === "light" || look.theme === "dark") root.dataset.theme = look.theme;
  if (look.text) root.style.setProperty("font-size", `${look.text}%`);
} catch {
  // Storage is shut in some private windows; the look of the system stands.
}

if (typeof WebAssembly === "object") {
  const { default: init } = await import("/page.js");
  await init({ module_or_path: "/page_bg.wasm" });
} else {
  document.body.textContent = "This browser cannot run Nodoor: WebAssembly is missing.";
}
