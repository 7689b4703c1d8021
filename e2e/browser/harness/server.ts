/** The built binary, run as an operator runs it: `leadline serve` on a free port with a folder of its own. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const START_MS = 60_000;
const STOP_MS = 15_000;

export interface Credentials {
  email: string;
  password: string;
}

export class Leadline {
  /** As the first start printed them. */
  credentials: Credentials = { email: "", password: "" };
  private process: ChildProcess | undefined;
  private output = "";

  private constructor(
    readonly origin: string,
    private readonly dataDir: string,
    private readonly flags: string[],
  ) {}

  static async start(): Promise<Leadline> {
    const dataDir = await mkdtemp(join(tmpdir(), "leadline-e2e-"));
    const server = new Leadline(`http://127.0.0.1:${await freePort()}`, dataDir, ["--demo"]);
    await server.resume();
    const email = server.output.match(/[\w.+-]+@[\w.-]+\w/)?.[0];
    const password = server.output.match(/password\W+(\S+)/i)?.[1];
    if (!email || !password) throw new Error(`no credentials on the terminal:\n${server.output}`);
    server.credentials = { email, password };
    return server;
  }

  /** With a workspace in which nothing is, and somebody who may do everything. */
  static async startEmpty(): Promise<Leadline> {
    const dataDir = await mkdtemp(join(tmpdir(), "leadline-e2e-"));
    const server = new Leadline(`http://127.0.0.1:${await freePort()}`, dataDir, []);
    server.credentials = { email: "owner@leadline.test", password: "a password for pictures" };
    const args = ["user", "create", "--email", server.credentials.email, "--role", "super_admin", "--data-dir", dataDir];
    execFileSync(binary(), args, { input: `${server.credentials.password}\n`, stdio: ["pipe", "ignore", "pipe"] });
    await server.resume();
    return server;
  }

  /** A command of the binary on the same data, as an operator gives it. */
  command(...args: string[]): void {
    execFileSync(binary(), [...args, "--data-dir", this.dataDir], { stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Starts again on the same address and data. */
  async resume(): Promise<void> {
    const listen = new URL(this.origin).host;
    const args = ["serve", ...this.flags, "--listen", listen, "--data-dir", this.dataDir];
    const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    const ended = new Promise<never>((_, fail) => {
      child.once("error", fail);
      child.once("exit", (code) => fail(new Error(`the server ended with ${code}:\n${this.output}`)));
    });
    ended.catch(() => {});
    const collect = (chunk: Buffer) => {
      this.output += chunk.toString("utf8");
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    await Promise.race([this.ready(), ended]);
  }

  /** Ends as a deploy ends it. */
  async pause(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const overdue = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(overdue);
  }

  async stop(): Promise<void> {
    await this.pause();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline) {
      const answer = await fetch(`${this.origin}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`the server was not ready in ${START_MS} ms:\n${this.output}`);
  }
}

function binary(): string {
  const path = process.env.LEADLINE_BIN ?? join(targetDir(), "debug/leadline");
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`make web embed && cargo build -p leadline\` first`);
  return path;
}

function targetDir(): string {
  return execFileSync(join(ROOT, "scripts/target-dir.sh"), { encoding: "utf8" }).trim();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}
