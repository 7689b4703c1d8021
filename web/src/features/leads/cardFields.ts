import { createContext, useContext } from 'react';
import type { Card, FilterField } from '@/api/shapes';
import { formatCount, plural } from '@/lib/text';

/** What may stand on the second line of a card, and as a column of the table. */

export const CUSTOM = 'custom.';

/** The fields that were chosen for cards; the usual ones where none were. */
export const CardFields = createContext<readonly string[] | null>(null);

const CARD_FIELDS: { key: string; label: string; text: (card: Card) => string | null | undefined }[] = [
  { key: 'company', label: 'Company', text: ({ company }) => company },
  { key: 'title', label: 'Title', text: ({ title }) => title },
  { key: 'email', label: 'E-mail', text: ({ email }) => email },
  { key: 'phone', label: 'Phone', text: ({ phone, phoneDisplay }) => phoneDisplay ?? phone },
  { key: 'source', label: 'Source', text: ({ sourceName }) => sourceName },
  { key: 'closeReason', label: 'Why won or lost', text: ({ closeReason }) => closeReason },
  { key: 'submissions', label: 'Submissions', text: ({ submissionCount }) => plural(submissionCount, 'submission') },
];

export const cardChoices = (fields: FilterField[]) => [
  ...CARD_FIELDS.map(({ key, label }) => ({ key, label })),
  ...fields.filter(({ name }) => name.startsWith(CUSTOM)).map(({ name, label }) => ({ key: name, label })),
];

/** The second line of a card. */
export function cardLine(card: Card, chosen: readonly string[] | null): string {
  if (chosen) {
    const texts = chosen.map((key) =>
      key.startsWith(CUSTOM)
        ? valueText(card.customFields[key.slice(CUSTOM.length)])
        : CARD_FIELDS.find((field) => field.key === key)?.text(card),
    );
    return texts.filter(Boolean).join(' · ');
  }
  const custom = Object.values(card.customFields).map(valueText);
  const often = card.submissionCount > 1 ? `${formatCount(card.submissionCount)} submissions` : '';
  return [card.company ?? card.sourceName, card.closeReason, ...custom, often].filter(Boolean).join(' · ');
}

export const useCardLine = (card: Card) => cardLine(card, useContext(CardFields));

/** A value of a custom field in words. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (Array.isArray(value)) return value.map(valueText).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The keys of the custom fields among columns or fields of cards, as the API takes them. */
export const customKeys = (chosen: readonly string[]): string =>
  chosen
    .filter((key) => key.startsWith(CUSTOM))
    .map((key) => key.slice(CUSTOM.length))
    .join(',');

export const listOf = (text: string | undefined): string[] | null => text?.split(',').filter(Boolean) ?? null;
