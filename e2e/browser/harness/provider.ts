/** A sign-in provider on loopback that lets one person in, without asking. */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class Provider {
  private readonly server: Server;
  private readonly keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  private readonly nonces = new Map<string, string>();

  private constructor(private readonly person: Record<string, unknown>) {
    this.server = createServer((request, answer) => {
      const { status, headers, body } = this.answer(request);
      answer.writeHead(status, headers).end(body);
    });
  }

  static async start(person: Record<string, unknown>): Promise<Provider> {
    const provider = new Provider(person);
    await new Promise<void>((listening) => provider.server.listen(0, "127.0.0.1", listening));
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private answer(request: IncomingMessage) {
    const url = new URL(request.url ?? "/", this.issuer);
    const json = (value: unknown) => ({
      status: 200,
      headers: { "content-type": "application/json" } as Record<string, string>,
      body: JSON.stringify(value),
    });
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["ES256"],
        });
      case "/keys":
        return json({ keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), kid: "e2e", use: "sig", alg: "ES256" }] });
      case "/authorize": {
        const back = new URL(url.searchParams.get("redirect_uri") ?? "");
        this.nonces.set("code", url.searchParams.get("nonce") ?? "");
        back.searchParams.set("code", "code");
        back.searchParams.set("state", url.searchParams.get("state") ?? "");
        return { status: 302, headers: { location: back.href } as Record<string, string>, body: "" };
      }
      case "/token":
        return json({ access_token: "access", token_type: "Bearer", id_token: this.token() });
      default:
        return { status: 404, headers: {} as Record<string, string>, body: "" };
    }
  }

  private token(): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: "leadline", iat: now, exp: now + 300, nonce: this.nonces.get("code"), ...this.person };
    const message = `${part({ alg: "ES256", kid: "e2e" })}.${part(claims)}`;
    const key: KeyObject = this.keys.privateKey;
    const signature = sign("sha256", Buffer.from(message), { key, dsaEncoding: "ieee-p1363" });
    return `${message}.${signature.toString("base64url")}`;
  }
}
