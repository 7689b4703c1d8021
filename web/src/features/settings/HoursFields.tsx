import { Chip, Group, TextInput } from '@mantine/core';
import type { Hours } from '@/api/shapes';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

export const USUAL_HOURS: Hours = { days: [1, 2, 3, 4, 5], from: '09:00', until: '17:00' };

export const areGood = ({ days, from, until }: Hours) =>
  days.length > 0 && CLOCK.test(from) && CLOCK.test(until) && from < until;

interface HoursFieldsProps {
  hours: Hours;
  disabled?: boolean;
  onChange: (hours: Hours) => void;
}

/** Days of the week, and from when to when. */
export function HoursFields({ hours, disabled, onChange }: HoursFieldsProps) {
  const wrong = (text: string, example: string) => (CLOCK.test(text) ? undefined : `A time such as ${example}.`);
  return (
    <>
      <Chip.Group
        multiple
        value={hours.days.map(String)}
        onChange={(days) => onChange({ ...hours, days: days.map(Number).sort() })}
      >
        <Group gap={6} role="group" aria-label="Days">
          {DAYS.map((day, index) => (
            <Chip key={day} value={String(index + 1)} size="xs" disabled={disabled}>
              {day}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Group grow align="flex-start" maw={320}>
        <TextInput
          label="From"
          disabled={disabled}
          value={hours.from}
          error={wrong(hours.from, '09:00')}
          onChange={(event) => onChange({ ...hours, from: event.currentTarget.value })}
        />
        <TextInput
          label="Until"
          disabled={disabled}
          value={hours.until}
          error={wrong(hours.until, '17:00')}
          onChange={(event) => onChange({ ...hours, until: event.currentTarget.value })}
        />
      </Group>
    </>
  );
}
