/** In words what was found out about a visitor and how a visit came about. All of it is a hint, and told as one. */

import type { Touch, VisitorContext } from '@/api/shapes';

type Row = [label: string, value: string];

const CHANNELS: Record<string, string> = {
  search: 'Search',
  paid: 'Advertisement',
  social: 'Social network',
  email: 'E-mail',
  assistant: 'AI assistant',
  referral: 'Another website',
  campaign: 'Campaign',
  direct: 'Direct',
  spam: 'Referrer spam',
};

const DEVICES: Record<string, string> = {
  desktop: 'Computer',
  smartphone: 'Phone',
  tablet: 'Tablet',
  tv: 'Television',
  console: 'Games console',
  bot: 'Program',
};

const NETWORKS: Record<string, string> = {
  relay: 'privacy relay',
  possibly_hosting: 'possibly a hosting network',
  hosting: 'hosting network',
  vpn: 'VPN',
  tor: 'Tor exit',
};

/** `Search (Google)`. */
export function channelWords({ channel, source }: Pick<Touch, 'channel' | 'source'>): string | undefined {
  const words = channel && (CHANNELS[channel] ?? channel);
  return words && source ? `${words} (${source})` : (words ?? undefined);
}

/** What is known, a line each; nothing where nothing is. */
export function visitorRows(context: VisitorContext): Row[] {
  const { location, device, network } = context;
  const rows: [string, string | undefined][] = [
    ['Place', location ? placeWords(location) : undefined],
    ['Device', device ? joined(device.kind && DEVICES[device.kind], device.make, device.model) : undefined],
    ['System', device ? joined(systemName(device.os), device.osVersion) : undefined],
    ['Browser', device ? joined(device.browser, device.browserVersion) : undefined],
    ['Language', name('language', context.language)],
    ['Timezone', context.timezone ?? location?.timezone ?? undefined],
    ['Network', network ? networkWords(network) : undefined],
  ];
  return rows.filter((row): row is Row => Boolean(row[1]));
}

function placeWords(place: NonNullable<VisitorContext['location']>): string {
  const city = joined(place.postalCode, place.city);
  const region = place.region === place.city ? undefined : place.region;
  return [city, region, name('region', place.country)].filter(Boolean).join(', ');
}

function networkWords(network: NonNullable<VisitorContext['network']>): string {
  const who = network.organisation ?? (network.asn ? `AS${network.asn}` : '');
  return [who, NETWORKS[network.kind]].filter(Boolean).join(', ');
}

/** What Apple called it until 2016 is what browsers call it still. */
function systemName(os: string | null | undefined): string | null | undefined {
  return os === 'Mac OS X' ? 'macOS' : os;
}

function joined(...words: (string | null | undefined)[]): string | undefined {
  return words.filter(Boolean).join(' ') || undefined;
}

/** The name of a country or a language in English, as all texts here are. */
function name(type: 'region' | 'language', code: string | null | undefined): string | undefined {
  if (!code) return undefined;
  try {
    return new Intl.DisplayNames('en', { type }).of(code) ?? code;
  } catch {
    return code;
  }
}
