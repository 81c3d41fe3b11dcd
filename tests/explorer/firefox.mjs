// Headless Firefox by Marionette, the protocol that it speaks itself: messages "LENGTH:JSON" over a socket.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function start_firefox(program) {
  const profile = mkdtempSync(join(tmpdir(), "explorer-firefox-"));
  // Port 0: one that is free; Firefox writes which into its profile.
  writeFileSync(join(profile, "user.js"), 'user_pref("marionette.port", 0);\n');
  const child = spawn(program, ["--headless", "--marionette", "--no-remote", "--width", "1400", "--height", "1600", "--profile", profile], { stdio: "ignore", env: { ...process.env, HOME: profile } });
  const port_file = join(profile, "MarionetteActivePort");
  let port = 0;
  for (let tries = 0; port === 0 && tries < 300; ++tries) {
    await pause(100);
    try { port = Number(readFileSync(port_file, "utf8")); } catch { /* not yet */ }
  }
  const socket = connect(port, "127.0.0.1");
  let bytes = Buffer.alloc(0);
  let next = 1;
  const waiting = new Map();
  socket.on("data", (data) => {
    bytes = Buffer.concat([bytes, data]);
    for (;;) {
      const colon = bytes.indexOf(":");
      const length = Number(bytes.subarray(0, Math.max(0, colon)).toString());
      if (colon < 0 || bytes.length < colon + 1 + length) { return; }
      const message = JSON.parse(bytes.subarray(colon + 1, colon + 1 + length).toString());
      bytes = bytes.subarray(colon + 1 + length);
      // The first is a greeting.
      if (Array.isArray(message)) {
        const [, id, fault, result] = message;
        const { resolve, reject } = waiting.get(id);
        if (fault) { reject(new Error(fault.message)); } else { resolve(result && "value" in result ? result.value : result); }
      }
    }
  });
  const send = (name, parameters) => new Promise((resolve, reject) => {
    const id = next++;
    waiting.set(id, { resolve, reject });
    const text = JSON.stringify([0, id, name, parameters]);
    socket.write(`${Buffer.byteLength(text)}:${text}`);
  });
  await send("WebDriver:NewSession", {});
  const run = (script) => send("WebDriver:ExecuteScript", { script, args: [], sandbox: null });
  return {
    open: (url) => send("WebDriver:Navigate", { url }),
    run,
    async until(script) {
      for (let tries = 0; tries < 600; ++tries) {
        if (await run(script)) { return; }
        await pause(100);
      }
      throw new Error(`never: ${script}`);
    },
    screenshot: () => send("WebDriver:TakeScreenshot", { full: true }),
    async close() {
      socket.destroy();
      child.kill();
      await new Promise((resolve) => { child.once("exit", resolve); });
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
