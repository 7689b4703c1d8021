/** The two origins of every test: a Leadline that records and answers as told, and a website that embeds its script. */

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const SCRIPT = readFileSync(new URL("../dist/embed.js", import.meta.url));
const WIDGET = readFileSync(new URL("../dist/widget.js", import.meta.url), "utf8");

export interface Received {
  method: string;
  path: string;
  contentType: string;
  accept: string;
  body: string;
  /** The body as fields, however it came. */
  fields: Record<string, string>;
}

interface Reply {
  status: number;
  body: object;
}

const PROBLEM_422 = {
  type: "about:blank",
  title: "Unprocessable Content",
  status: 422,
  code: "no_identity",
  detail: "Give a name, an email address or a phone number.",
};

/** What a beacon said of a visit. */
export interface Report {
  path: string;
  contentType: string;
  visitor: string;
  session: string;
  now: number;
  referrer: string;
  pages: { at: number; url: string; ms: number; scroll: number; clicks: number }[];
}

export class RecordingLeadline {
  /** Beacons only, in the order of arrival. */
  readonly reports: Report[] = [];
  /** Form posts only, in the order of arrival. */
  readonly received: Received[] = [];
  preflights = 0;
  /** What the server would put into the script of every widget. */
  widgetSettings: object = {};
  private server: Server | undefined;
  private port = 0;
  private reply: (received: Received) => Reply | "hang" = accept;
  private readonly listeners = new Set<() => void>();

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => this.handle(request, response));
    await listen(this.server, this.port);
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Connections are refused until the next `start`, which takes the same port again. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    await new Promise((done) => (server ? server.close(done) : done(undefined)));
  }

  accepts(extra: object = {}): void {
    this.reply = (received) => ({ status: 200, body: { ...accept(received).body, ...extra } });
  }

  isDown(): void {
    this.reply = () => ({ status: 503, body: { title: "Service Unavailable", status: 503, code: "unavailable" } });
  }

  refuses(): void {
    this.reply = () => ({ status: 422, body: PROBLEM_422 });
  }

  hangs(): void {
    this.reply = () => "hang";
  }

  /** The `count`th form post, as soon as it is there. */
  async post(count = 1): Promise<Received> {
    for (;;) {
      const found = this.received[count - 1];
      if (found) return found;
      await new Promise<void>((done) => this.listeners.add(done));
    }
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(String(request.url), this.origin).pathname;
    if (path === "/embed.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" }).end(SCRIPT);
      return;
    }
    const widget = /^\/w\/([^/]+)\.js$/.exec(path)?.[1];
    if (widget) {
      const settings = JSON.stringify({ id: widget, ...this.widgetSettings });
      response.writeHead(200, { "Content-Type": "text/javascript" }).end(WIDGET.replace("__LEADLINE_WIDGET__", settings));
      return;
    }
    if (request.method === "OPTIONS") {
      this.preflights++;
      response.writeHead(204, { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" }).end();
      return;
    }
    if (path.startsWith("/t/")) {
      const body = JSON.parse(await readBody(request));
      this.reports.push({ path, contentType: String(request.headers["content-type"]), ...body });
      response.writeHead(204).end();
      return;
    }
    if (!path.startsWith("/f/") && !path.startsWith("/w/")) {
      response.writeHead(404).end();
      return;
    }
    const received = await readPost(request, path);
    this.received.push(received);
    for (const wake of this.listeners) wake();
    this.listeners.clear();
    const reply = this.reply(received);
    if (reply === "hang") return;
    const wantsJson = received.accept.includes("application/json");
    if (!wantsJson && reply.status === 200) {
      const page = `<!doctype html><html lang="en"><title>Thanks</title><h1>Thanks from the server</h1>`;
      response.writeHead(200, { "Content-Type": "text/html" }).end(page);
      return;
    }
    const contentType = reply.status === 200 ? "application/json" : "application/problem+json";
    response.writeHead(reply.status, { "Content-Type": contentType, "Access-Control-Allow-Origin": "*" });
    response.end(JSON.stringify(reply.body));
  }
}

/** Serves whatever pages a test hands it; unknown paths get the plain thank-you page. */
export class Website {
  readonly pages = new Map<string, { html: string; csp?: string }>();
  private readonly server = createServer(this.answer.bind(this));
  private port = 0;

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    await listen(this.server, 0);
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(String(request.url), "http://site").pathname;
    const page = this.pages.get(path);
    const headers: Record<string, string> = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
    if (page?.csp) headers["Content-Security-Policy"] = page.csp;
    response.writeHead(200, headers).end(page?.html ?? `<!doctype html><html lang="en"><title>${path}</title><h1>Page ${path}</h1>`);
  }
}

function accept(received: Received): Reply {
  return {
    status: 200,
    body: { receipt: received.fields.submissionId ?? "receipt", leadId: "lead-1", duplicate: false, stored: true },
  };
}

async function readPost(request: IncomingMessage, path: string): Promise<Received> {
  const body = await readBody(request);
  const contentType = String(request.headers["content-type"]);
  const fields = contentType.startsWith("text/plain") ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
  return { method: String(request.method), path, contentType, accept: String(request.headers.accept), body, fields };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", done);
  });
}
