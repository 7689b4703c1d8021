import type { Destination, DestinationInput } from '@/api/shapes';

/** A number as a field holds it: empty where there is none. */
type NumberValue = number | '';

/** One step that counts as a conversion, as the form holds it. */
export interface GoalValues {
  /** Tells rows apart while they are edited. */
  key: string;
  on: string;
  stageId: string;
  name: string;
  conversionAction: string;
  value: NumberValue;
  currency: string;
}

/** What an ad platform is told of, as the form holds it. */
export interface ConversionValues {
  goals: GoalValues[];
  upload: string;
  valueField: string;
  loginCustomerId: string;
  withIdentifiers: boolean;
  actionSource: string;
  testEventCode: string;
}

export interface Platform {
  /** What its address looks like. */
  url: string;
  tokenLabel: string;
  tokenSays: string;
  nameLabel: string;
  /** What a first goal is called. */
  firstName: string;
}

const PLATFORMS: Record<string, Platform> = {
  google_ads: {
    url: 'https://googleads.googleapis.com/v26/customers/CUSTOMER-ID:uploadClickConversions',
    tokenLabel: 'Developer token',
    tokenSays: 'From the API Center of your Google Ads manager account.',
    nameLabel: 'Conversion name',
    firstName: 'Qualified lead',
  },
  meta_capi: {
    url: 'https://graph.facebook.com/v25.0/PIXEL-ID/events',
    tokenLabel: 'Access token',
    tokenSays: 'From the Events Manager: Settings, Conversions API, Generate access token.',
    nameLabel: 'Event name',
    firstName: 'Lead',
  },
};

/** The ad platform that a format is for. */
export const platformOf = (format: string): Platform | undefined => PLATFORMS[format];

export const STEPS = [
  { value: 'created', label: 'A lead comes in' },
  { value: 'stage', label: 'It reaches a stage' },
  { value: 'won', label: 'It is won' },
  { value: 'converted', label: 'It becomes a customer' },
];

let made = 0;

export function blankGoal(name: string): GoalValues {
  made += 1;
  return { key: `goal-${made}`, on: 'won', stageId: '', name, conversionAction: '', value: '', currency: '' };
}

export function conversionValuesOf(destination: Destination | undefined): ConversionValues {
  const told = destination?.conversions;
  return {
    goals: (told?.goals ?? []).map((goal) => ({
      ...blankGoal(goal.name),
      on: goal.on,
      stageId: goal.stageId ?? '',
      conversionAction: goal.conversionAction ?? '',
      value: goal.value ?? '',
      currency: goal.currency ?? '',
    })),
    upload: told?.upload ?? 'request',
    valueField: told?.valueField ?? '',
    loginCustomerId: told?.loginCustomerId ?? '',
    withIdentifiers: told?.withIdentifiers ?? false,
    actionSource: told?.actionSource ?? 'system_generated',
    testEventCode: told?.testEventCode ?? '',
  };
}

const orNull = (text: string) => text.trim() || null;

export function conversionsInputOf(values: ConversionValues): NonNullable<DestinationInput['conversions']> {
  return {
    goals: values.goals.map((goal) => ({
      on: goal.on,
      stageId: goal.on === 'stage' ? orNull(goal.stageId) : null,
      name: goal.name.trim(),
      conversionAction: orNull(goal.conversionAction),
      value: goal.value === '' ? null : goal.value,
      currency: orNull(goal.currency),
    })),
    upload: values.upload,
    valueField: orNull(values.valueField),
    loginCustomerId: orNull(values.loginCustomerId),
    withIdentifiers: values.withIdentifiers,
    actionSource: values.actionSource,
    testEventCode: orNull(values.testEventCode),
  };
}

/** What counts, in words: "It is won: Purchase, 90 EUR". */
export function goalWords(destination: Destination): string[] {
  return (destination.conversions?.goals ?? []).map(({ on, name, value, currency }) => {
    const step = STEPS.find((one) => one.value === on)?.label ?? on;
    return `${step}: ${name}${value == null ? '' : `, ${value} ${currency ?? ''}`.trimEnd()}`;
  });
}
