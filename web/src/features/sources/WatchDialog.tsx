import { Alert, Button, Chip, Group, Modal, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { SourceHealth } from '@/api/shapes';
import { State } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { healthQuery, useWatch } from './health';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const HOUR = 60;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

/** That a watched source is silent, or that it is watched. */
export function Silence({ sourceId }: { sourceId: string }) {
  const permits = usePermits();
  const health = useQuery({ ...healthQuery, enabled: permits.can('settings:view') });
  const own = health.data?.find((each) => each.sourceId === sourceId);
  if (!own?.watch) return null;
  if (own.isSilent) return <State color="red">Silent for too long</State>;
  return <State color="gray">Watched</State>;
}

interface WatchDialogProps {
  sourceId: string;
  name: string;
  opened: boolean;
  onClose: () => void;
}

export function WatchDialog({ sourceId, name, opened, onClose }: WatchDialogProps) {
  const health = useQuery({ ...healthQuery, enabled: opened });
  const own = health.data?.find((each) => each.sourceId === sourceId);
  return (
    <Modal opened={opened} onClose={onClose} title={`Watch ${name} for silence`}>
      {own && <WatchFields health={own} onClose={onClose} />}
      {health.isError && <Alert color="red">{messageOf(health.error)}</Alert>}
    </Modal>
  );
}

function WatchFields({ health, onClose }: { health: SourceHealth; onClose: () => void }) {
  const { watch } = health;
  const form = useForm({
    initialValues: {
      watched: watch != null,
      silentAfterHours: (watch?.silentAfterMinutes ?? 24 * HOUR) / HOUR,
      cooldownHours: (watch?.cooldownMinutes ?? 24 * HOUR) / HOUR,
      inBusinessHours: watch?.businessHours != null,
      days: (watch?.businessHours?.days ?? [1, 2, 3, 4, 5]).map(String),
      from: watch?.businessHours?.from ?? '09:00',
      until: watch?.businessHours?.until ?? '17:00',
    },
    validate: {
      from: (value, values) => (!values.inBusinessHours || CLOCK.test(value) ? null : 'A time such as 09:00.'),
      until: (value, values) => (!values.inBusinessHours || CLOCK.test(value) ? null : 'A time such as 17:00.'),
      days: (value, values) => (!values.inBusinessHours || value.length > 0 ? null : 'Choose at least one day.'),
    },
  });
  const save = useWatch(health.sourceId);
  const submit = form.onSubmit(({ watched, silentAfterHours, cooldownHours, inBusinessHours, days, from, until }) =>
    save.mutate(
      watched
        ? {
            watched,
            silentAfterMinutes: Math.round(silentAfterHours * HOUR),
            cooldownMinutes: Math.round(cooldownHours * HOUR),
            businessHours: inBusinessHours ? { days: days.map(Number).sort(), from, until } : null,
          }
        : { watched },
      {
        onSuccess: () => {
          toast(watched ? `${health.name} is watched` : `${health.name} is watched no longer`);
          onClose();
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );
  const { watched, inBusinessHours } = form.values;
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <Switch
          label="Alert when no lead comes"
          description="It shows at the bell, and goes to destinations that chose source.silent."
          {...form.getInputProps('watched', { type: 'checkbox' })}
        />
        {watched && (
          <>
            <NumberInput
              label="Silent for (hours)"
              min={0.25}
              decimalScale={2}
              step={1}
              max={1440}
              {...form.getInputProps('silentAfterHours')}
            />
            <NumberInput
              label="No further alert within (hours)"
              min={0}
              decimalScale={2}
              step={1}
              max={8760}
              {...form.getInputProps('cooldownHours')}
            />
            <Switch
              label="Only in business hours"
              description="Nights and free days do not count. By the workspace's timezone."
              {...form.getInputProps('inBusinessHours', { type: 'checkbox' })}
            />
          </>
        )}
        {watched && inBusinessHours && (
          <>
            <Chip.Group multiple {...form.getInputProps('days')}>
              <Group gap={6} role="group" aria-label="Days">
                {DAYS.map((day, index) => (
                  <Chip key={day} value={String(index + 1)} size="xs">
                    {day}
                  </Chip>
                ))}
              </Group>
            </Chip.Group>
            {form.errors.days && (
              <Text size="sm" c="red">
                {form.errors.days}
              </Text>
            )}
            <Group grow align="flex-start">
              <TextInput label="From" placeholder="09:00" {...form.getInputProps('from')} />
              <TextInput label="Until" placeholder="17:00" {...form.getInputProps('until')} />
            </Group>
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
