// Puts each case of a folder to the official package for JavaScript and prints what it says, a line each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [manifest, folder] = process.argv.slice(2);
const { Webhook, WebhookVerificationError } = createRequire(manifest)('standardwebhooks');

for (const line of readFileSync(join(folder, 'cases.tsv'), 'utf8').split('\n').filter(Boolean)) {
  const [, , secret, headersFile, bodyFile] = line.split('\t');
  const headers = Object.fromEntries(
    readFileSync(join(folder, headersFile), 'utf8').split('\n').filter(Boolean).map((each) => each.split(/: (.*)/)),
  );
  console.log(isOurs(secret, readFileSync(join(folder, bodyFile)), headers) ? 'yes' : 'no');
}

function isOurs(secret, body, headers) {
  try {
    const payload = new Webhook(secret).verify(body, headers);
    return payload.version === 1;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
