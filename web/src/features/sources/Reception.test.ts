import { describe, expect, it } from 'vitest';
import { receptionBody, receptionOf, secretWords } from './Reception';
import { replayWords } from './RequestsTab';

describe('how a webhook receives', () => {
  it('leaves a secret as it is where nothing new was typed', () => {
    const values = { ...receptionOf(), format: 'facebook', proof: 'signature', secret: '  ', verifyToken: 'my words' };

    expect(receptionBody(values)).toEqual({
      format: 'facebook',
      proof: 'signature',
      secretHeader: 'x-webhook-secret',
      allowedOrigins: [],
      verifyToken: 'my words',
    });
  });

  it('calls the secret what the sender calls it', () => {
    expect(secretWords('facebook', 'signature').label).toBe('App secret');
    expect(secretWords('google', 'signature').label).toBe('Key');
    expect(secretWords('facebook', 'header').label).toBe('Secret');
    expect(secretWords('auto', 'signature').label).toBe('Signing secret');
  });
});

describe('what became of a replay', () => {
  const receipt = { receipt: 'r', leadId: 'l', duplicate: false, code: null };

  it.each([
    [[receipt], 'A lead was made of it'],
    [[{ ...receipt, duplicate: true }], 'It belongs to a lead that was there'],
    [[receipt, { ...receipt, receipt: null, code: 'nothing_to_identify_by' }], 'Refused: nothing_to_identify_by'],
    [[], 'Nothing is made of it'],
  ])('%#', (receipts, words) => {
    expect(replayWords({ receipts })).toBe(words);
  });
});
