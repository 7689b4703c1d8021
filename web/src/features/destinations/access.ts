import type { Destination, DestinationInput } from '@/api/shapes';

/** What a destination is asked with, as the form holds it. Secrets are empty until somebody writes new ones. */
export interface AccessValues {
  token: string;
  usesOauth: boolean;
  grant: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  scopes: string;
  scheme: string;
  usesCertificate: boolean;
  certificate: string;
  certificateKey: string;
}

export const GRANTS = [
  { value: 'refresh_token', label: 'With a refresh token' },
  { value: 'client_credentials', label: 'As the client itself' },
];

export function accessValuesOf(destination: Destination | undefined): AccessValues {
  const oauth = destination?.oauth;
  return {
    token: '',
    usesOauth: oauth != null,
    grant: oauth?.grant ?? 'refresh_token',
    tokenUrl: oauth?.tokenUrl ?? '',
    clientId: oauth?.clientId ?? '',
    clientSecret: '',
    refreshToken: '',
    scopes: oauth?.scopes ?? '',
    scheme: oauth?.scheme ?? 'Bearer',
    usesCertificate: destination?.clientCertificateSha256 != null,
    certificate: '',
    certificateKey: '',
  };
}

/** What is sent for these values: what was not touched is left out, so that it stays. */
export function accessInputOf(
  values: AccessValues,
  destination: Destination | undefined,
): Pick<DestinationInput, 'token' | 'oauth' | 'clientCertificate'> {
  const input: Pick<DestinationInput, 'token' | 'oauth' | 'clientCertificate'> = {};
  if (values.token.trim()) input.token = values.token.trim();
  if (values.usesOauth) input.oauth = oauthInputOf(values);
  else if (destination?.oauth) input.oauth = null;
  const hasNew = values.certificate.trim() !== '' || values.certificateKey.trim() !== '';
  if (values.usesCertificate && hasNew) {
    input.clientCertificate = { certificate: values.certificate, key: values.certificateKey };
  } else if (!values.usesCertificate && destination?.clientCertificateSha256) {
    input.clientCertificate = null;
  }
  return input;
}

function oauthInputOf(values: AccessValues): NonNullable<DestinationInput['oauth']> {
  const { grant, tokenUrl, clientId, clientSecret, refreshToken, scopes, scheme } = values;
  return {
    grant,
    tokenUrl: tokenUrl.trim(),
    clientId: clientId.trim(),
    scopes: scopes.trim(),
    scheme: scheme.trim() || 'Bearer',
    ...(clientSecret ? { clientSecret } : {}),
    ...(refreshToken && grant === 'refresh_token' ? { refreshToken } : {}),
  };
}
