import { describe, expect, it } from 'vitest';
import type { Automation } from '@/api/shapes';
import {
  ANY_SOURCE,
  bodyOf,
  type Draft,
  delayOptions,
  delayWords,
  draftOf,
  emptyDraft,
  emptyStep,
  missing,
  type StepDraft,
  withChannel,
  withFallback,
} from './draft';

const whole = (): Draft => ({
  ...emptyDraft(),
  name: ' Welcome ',
  sourceId: 'hook',
  steps: [{ ...emptyStep('a'), templateId: 'welcome', fallbackChannel: 'sms' }],
});

describe('a draft', () => {
  it('names what is missing where it stands', () => {
    const draft = {
      ...emptyDraft(),
      steps: [emptyStep('a'), { ...emptyStep('b'), fallbackChannel: 'email' as const }],
    };

    expect(Object.keys(missing(draft))).toEqual([
      '/name',
      '/webhookSourceId',
      '/steps/0/templateId',
      '/steps/1/templateId',
      '/steps/1/fallbackTemplateId',
    ]);
    expect(missing(whole())).toEqual({});
    expect(missing({ ...whole(), event: 'lead.tag_added' })).toEqual({ '/trigger/tag': 'Enter a tag.' });
    expect(missing({ ...whole(), event: 'lead.created', sourceId: null })).toEqual({});
  });

  it('is sent with what its trigger needs and nothing else', () => {
    expect(bodyOf(whole())).toEqual({
      name: 'Welcome',
      description: null,
      webhookSourceId: 'hook',
      trigger: { event: 'lead.arrived' },
      condition: null,
      steps: [
        {
          channel: 'whatsapp',
          delayMinutes: 0,
          templateId: 'welcome',
          fallbackChannel: 'sms',
          fallbackTemplateId: null,
        },
      ],
      safetyLockMinutes: 5,
      quietHours: null,
      exitOn: [],
      exitStageId: null,
      isActive: true,
    });
    expect(bodyOf({ ...whole(), sourceId: ANY_SOURCE }).webhookSourceId).toBeNull();
    const scored = bodyOf({ ...whole(), event: 'lead.score_crossed', score: 80 });
    expect([scored.webhookSourceId, scored.trigger]).toEqual([null, { event: 'lead.score_crossed', score: 80 }]);
    const night = bodyOf({ ...whole(), quiet: { from: '21:30', until: '08:05' } });
    expect(night.quietHours).toEqual({ fromMinute: 1290, untilMinute: 485 });
  });

  it('is read from what was saved', () => {
    const saved = {
      name: 'Welcome',
      webhookSourceId: 'hook',
      trigger: { event: 'lead.arrived' },
      steps: [{ channel: 'email', delayMinutes: 120, templateId: 'follow-up' }],
      safetyLockMinutes: 10,
      quietHours: { fromMinute: 1260, untilMinute: 480 },
      exitOn: ['replied'],
      isActive: false,
    } as unknown as Automation;

    const draft = draftOf(saved);

    expect(draft.quiet).toEqual({ from: '21:00', until: '08:00' });
    expect(bodyOf(draft)).toMatchObject({ safetyLockMinutes: 10, isActive: false, exitOn: ['replied'] });
    expect(bodyOf(draft).quietHours).toEqual(saved.quietHours);
  });
});

describe('a step', () => {
  const step = {
    ...emptyStep('a'),
    templateId: 'welcome',
    fallbackChannel: 'sms' as const,
    fallbackTemplateId: 'short',
  };

  it('loses the template of another channel, and a fallback to itself', () => {
    expect(withChannel(step, 'email')).toMatchObject({ templateId: null, fallbackChannel: 'sms' });
    expect(withChannel(step, 'sms')).toMatchObject({ fallbackChannel: null, fallbackTemplateId: null });
    expect(withChannel(step, 'whatsapp')).toBe(step);
    expect(withFallback(step, 'email')).toMatchObject({ fallbackChannel: 'email', fallbackTemplateId: null });
  });

  it('of another kind says what it needs, and sends nothing else', () => {
    const body = (kind: StepDraft['kind'], part: Partial<StepDraft> = {}) =>
      bodyOf({ ...whole(), steps: [{ ...step, ...emptyStep('a', kind), ...part }] }).steps[0];
    const lacks = (kind: StepDraft['kind']) => Object.keys(missing({ ...whole(), steps: [emptyStep('a', kind)] }));

    expect(body('wait')).toEqual({ kind: 'wait', delayMinutes: 1440 });
    expect(body('wait_for_reply', { onReply: 'go_on' })).toMatchObject({ onReply: 'go_on', onTimeout: 'go_on' });
    expect(body('assign')).toEqual({ kind: 'assign', delayMinutes: 0 });
    expect(body('add_tag', { tag: ' hot ' })).toEqual({ kind: 'add_tag', delayMinutes: 0, tag: 'hot' });
    expect(lacks('condition')).toEqual(['/steps/0/filter']);
    expect(lacks('move_stage')).toEqual(['/steps/0/stageId']);
    expect(lacks('call_destination')).toEqual(['/steps/0/destinationId']);
    expect(lacks('assign')).toEqual([]);
  });

  it('says how long it waits', () => {
    expect([0, 5, 60, 120, 1440, 2880].map(delayWords)).toEqual([
      'Immediate',
      '5 min',
      '1 hour',
      '2 hours',
      '24 hours',
      '2 days',
    ]);
    expect(delayOptions(0)).toHaveLength(7);
    expect(delayOptions(7)[2]).toEqual({ value: '7', label: '7 min' });
  });
});
