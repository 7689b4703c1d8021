// Verifies deliveries of Leadline. Node.js 18 or later, nothing to install.
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_S = 5 * 60;
// Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
const SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

/**
 * The Standard Webhooks way: signs id, time and body, so an old request cannot be sent again.
 *
 * @param {string[]} secrets those that the dashboard showed, `whsec_…`; one is the rule
 * @param {(name: string) => string | undefined} header a header's value by its lower-case name
 * @param {Buffer} rawBody the bytes as they came
 * @param {number} nowS seconds since 1970
 */
export function isStandardSignatureOurs(secrets, header, rawBody, nowS = Date.now() / 1000) {
  const id = header('webhook-id') ?? '';
  const timestamp = header('webhook-timestamp') ?? '';
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowS - Number(timestamp)) > TOLERANCE_S) return false;
  const given = (header('webhook-signature') ?? '').split(' ');
  return secrets.filter((secret) => SECRET.test(secret)).some((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(rawBody).digest('base64');
    return given.some((one) => isSame(one, `v1,${signed}`));
  });
}

/**
 * The plain way: signs the body alone. Keep the ids of deliveries that were handled, since this does not stop an old
 * request from being sent again.
 */
export function isPlainSignatureOurs(secrets, header, rawBody) {
  const given = header('x-leadline-signature') ?? '';
  return secrets.filter((secret) => SECRET.test(secret)).some((secret) => {
    const signed = createHmac('sha256', secret).update(rawBody).digest('hex');
    return isSame(given, `sha256=${signed}`);
  });
}

// Takes the same time wherever the first difference is.
function isSame(given, wanted) {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
