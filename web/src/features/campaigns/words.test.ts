import { describe, expect, it } from 'vitest';
import { doneOf, readCampaignSearch, readCampaignsSearch, share } from './words';

describe('campaigns in words', () => {
  it('says a part as a share of the whole', () => {
    expect(share(12, 350)).toBe('12 (3.4 %)');
    expect(share(120, 350)).toBe('120 (34 %)');
    expect(share(0, 350)).toBe('0');
    expect(share(3, 0)).toBe('3');
  });

  it('counts who is through', () => {
    const progress = { isGathering: false, recipients: 200, asked: 90, skipped: 10, waiting: 100 };
    expect(doneOf({ progress } as never)).toEqual({ done: 100, all: 200, percent: 50 });
    expect(doneOf({ progress: { ...progress, recipients: 0, asked: 0, skipped: 0 } } as never).percent).toBe(0);
  });

  it('reads what a page shows from its address, and nothing else', () => {
    expect(readCampaignsSearch({ tab: 'messages', page: '3', other: 1 })).toEqual({ tab: 'messages', page: 3 });
    expect(readCampaignsSearch({ tab: 'x', page: '-1' })).toEqual({});
    expect(readCampaignSearch({ which: 'opened', page: '2' })).toEqual({ which: 'opened', page: 2 });
    expect(readCampaignSearch({ which: 'constructor' })).toEqual({});
  });
});
