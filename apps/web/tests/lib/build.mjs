// SPDX-License-Identifier: AGPL-3.0-or-later
// Makes the development build with the fake engine (feature `parts`) that the tests of looks run on.
// `NODOOR_PARTS` names a folder where it was made already.
import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);
let made;

/** The folder to serve. Made once for a run. */
export function partsSite() {
  made ??= process.env.NODOOR_PARTS ? Promise.resolve(process.env.NODOOR_PARTS) : make();
  return made;
}

async function make() {
  const folder = join(ROOT, "target/web-parts");
  const tool = join(ROOT, "target/tools/debug/nodoor-bindgen");
  const cargo = process.env.CARGO ?? "cargo";
  const target = "wasm32-unknown-unknown";
  const options = { cwd: ROOT, maxBuffer: 1 << 26, env: process.env };
  const cargoArguments = ["build", "--quiet", "--target", target, "--profile", "web-dev"];
  await run(cargo, [...cargoArguments, "-p", "nodoor-web-page", "--features", "nodoor-web-page/parts", "-p", "nodoor-web-reader"], options);
  if (!existsSync(tool)) {
    const manifest = join(ROOT, "xtask/bindgen/Cargo.toml");
    const env = { ...process.env, CARGO_TARGET_DIR: join(ROOT, "target/tools") };
    await run(cargo, ["build", "--quiet", "--locked", "--manifest-path", manifest], { ...options, env });
  }
  await mkdir(folder, { recursive: true });
  await cp(join(ROOT, "apps/web/static"), folder, { recursive: true });
  for (const name of ["page", "reader"]) {
    const wasm = join(ROOT, `target/${target}/web-dev/nodoor_web_${name}.wasm`);
    await run(tool, ["bindgen", wasm, folder, name], options);
  }
  return folder;
}
