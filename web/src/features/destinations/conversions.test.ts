import { describe, expect, it } from 'vitest';
import type { Destination } from '@/api/shapes';
import { accessInputOf, accessValuesOf } from './access';
import { blankGoal, conversionsInputOf, conversionValuesOf, goalWords, platformOf } from './conversions';
import { inputOf, valuesOf } from './values';

const destination = {
  name: 'Ads',
  url: 'https://example.com',
  events: ['lead.stage_changed'],
  format: 'google_ads',
  headerNames: [],
  filter: {},
  hasToken: true,
  oauth: { grant: 'refresh_token', tokenUrl: 'https://t.example.com', clientId: 'id', scopes: 'ads', scheme: 'Bearer' },
  clientCertificateSha256: 'abc',
  conversions: {
    goals: [{ on: 'stage', stageId: 's1', name: 'Qualified', conversionAction: 'a', value: 9.5, currency: 'EUR' }],
    upload: 'request',
    valueField: 'deal',
    loginCustomerId: null,
    withIdentifiers: true,
    actionSource: 'system_generated',
    testEventCode: null,
  },
} as unknown as Destination;

describe('conversions', () => {
  it('are sent as they were read', () => {
    expect(conversionsInputOf(conversionValuesOf(destination))).toEqual(destination.conversions);
  });

  it('leave out a stage that another step has no use for', () => {
    const values = conversionValuesOf(undefined);
    const goals = [{ ...blankGoal(' Sale '), stageId: 's1' }];
    const [goal] = conversionsInputOf({ ...values, goals }).goals;
    expect(goal).toMatchObject({ on: 'won', stageId: null, name: 'Sale', value: null });
  });

  it('say which events a destination gets', () => {
    expect(inputOf(valuesOf(destination), destination)).not.toHaveProperty('events');
    expect(platformOf('leadline')).toBeUndefined();
  });

  it('are told in words', () => {
    expect(goalWords(destination)).toEqual(['It reaches a stage: Qualified, 9.5 EUR']);
  });
});

describe('what a destination is asked with', () => {
  it('keeps secrets that nobody wrote anew', () => {
    const input = accessInputOf(accessValuesOf(destination), destination);
    expect(input).toEqual({ oauth: destination.oauth });
  });

  it('takes away what was switched off, and nothing that was never there', () => {
    const off = { ...accessValuesOf(destination), usesOauth: false, usesCertificate: false };
    expect(accessInputOf(off, destination)).toEqual({ oauth: null, clientCertificate: null });
    expect(accessInputOf(off, undefined)).toEqual({});
  });

  it('sends new secrets, and no refresh token that the client itself has no use for', () => {
    const values = {
      ...accessValuesOf(destination),
      grant: 'client_credentials',
      clientSecret: 's',
      refreshToken: 'r',
      token: ' t ',
      certificate: 'c',
      certificateKey: 'k',
    };
    const input = accessInputOf(values, destination);
    expect(input.oauth).toMatchObject({ clientSecret: 's' });
    expect(input.oauth).not.toHaveProperty('refreshToken');
    expect(input).toMatchObject({ token: 't', clientCertificate: { certificate: 'c', key: 'k' } });
  });
});
