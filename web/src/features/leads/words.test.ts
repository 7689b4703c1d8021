import { describe, expect, it } from 'vitest';
import { activityWords, inTimeline, matchWords, originWords, scoreReason, suspicionReason } from './words';

describe('why a submission belongs to its lead', () => {
  it.each([
    ['new', 'Made this lead: nobody known matched.'],
    ['email', 'Joined this lead: the same e-mail address.'],
    ['ip', 'Joined this lead: the same network address a moment before.'],
    ['carrier_pigeon', 'Joined this lead by carrier pigeon.'],
  ])('says %s in words', (by, words) => {
    expect(matchWords({ by })).toBe(words);
  });

  it('tells which match was refused and why', () => {
    const reason = { by: 'email', refused: [{ by: 'visitor', because: 'email_differs' }] };

    expect(matchWords(reason)).toBe(
      'Joined this lead: the same e-mail address. Another lead matched by the visitor, and was refused because the e-mail address differs.',
    );
  });
});

describe('where a visit came from', () => {
  it.each([
    [{ utmSource: 'ads', utmCampaign: 'spring', referrer: 'https://a.example/' }, 'from ads / spring'],
    [{ clickIds: { gclid: 'G1' } }, 'from an ad (gclid)'],
    [{ referrer: 'https://www.search.example/?q=crm' }, 'from search.example'],
    [{ pageUrl: 'https://a.example/' }, 'came directly'],
    [null, 'came directly'],
  ])('%o', (touch, words) => {
    expect(originWords(touch)).toBe(words);
  });
});

describe('scores', () => {
  it('says known codes in words and unknown ones readably', () => {
    expect(scoreReason({ code: 'work_email', points: 10 })).toBe('The address is not at a free-mail provider');
    expect(suspicionReason({ code: 'submitted_under_5_s', points: 30 })).toBe('Sent in under 5 seconds');
    expect(suspicionReason({ code: 'moon_phase', points: 1 })).toBe('Moon phase');
  });
});

describe('the timeline', () => {
  const words = (kind: string, data: Record<string, unknown> = {}) => activityWords({ kind, data });

  it('names both stages of a move', () => {
    expect(words('lead.stage_changed', { fromStageName: 'New', toStageName: 'Won' })).toBe('Moved from New to Won');
  });

  it('says what was changed, from what to what', () => {
    const changes = [
      { field: 'company', from: null, to: 'Acme' },
      { field: 'title', from: 'CTO', to: 'CEO' },
      { field: 'phone', from: '+4930', to: null },
    ];

    expect(words('lead.updated', { changes })).toBe(
      'Set company to Acme, changed title from CTO to CEO, took phone away (+4930)',
    );
    expect(words('lead.updated')).toBe('Changed the lead');
  });

  it('tells assigning from taking it away', () => {
    expect(words('lead.assigned', { toName: 'Ada', fromName: 'Bob' })).toBe('Assigned to Ada');
    expect(words('lead.assigned', { toName: null, fromName: 'Bob' })).toBe('Took the assignment from Bob');
  });

  it('lists tags that came and went', () => {
    expect(words('tags.changed', { added: ['a', 'b'], removed: ['c'] })).toBe(
      'Added the tags a, b and removed the tags c',
    );
  });

  it('says what a delivery died of', () => {
    expect(words('delivery.exhausted', { destinationName: 'CRM', status: 502 })).toBe(
      'Delivery to CRM gave up (HTTP 502)',
    );
  });

  it('says what a CRM calls the lead', () => {
    expect(words('crm.linked', { destinationName: 'HubSpot', crmLeadId: '7' })).toBe('HubSpot calls the lead 7');
    expect(words('crm.linked', { destinationName: 'HubSpot' })).toBe('HubSpot told where the lead is');
    expect(inTimeline('deliveries', 'crm.linked')).toBe(true);
  });

  it('says what automations did, and why not', () => {
    expect(words('automation.step_failed', { step: 1, reason: '131026', error: 'not on WhatsApp' })).toBe(
      'Step 1 failed: not on WhatsApp',
    );
    expect(words('automation.skipped', { reason: 'safety_lock', words: 'Safety lock' })).toBe(
      'Automation skipped: Safety lock',
    );
    expect(words('automation.skipped', { step: 2, reason: 'no_email' })).toBe('Step 2 skipped: No email');
    expect(words('automation.completed')).toBe('Automation completed');
  });

  it('shows an unknown kind rather than nothing', () => {
    expect(words('comet.seen')).toBe('Comet seen');
  });

  it('sorts the kinds into the filters', () => {
    expect(inTimeline('all', 'x')).toBe(true);
    expect(inTimeline('notes', 'note.added')).toBe(true);
    expect(inTimeline('changes', 'note.added')).toBe(false);
    expect(inTimeline('deliveries', 'delivery.exhausted')).toBe(true);
    expect(inTimeline('changes', 'delivery.exhausted')).toBe(false);
  });
});
