import { Alert, NumberInput, Select, Skeleton, Stack, Switch, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { fieldErrors, messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Workspace } from '@/api/shapes';
import { Failure, PermitButton } from '@/ui/basics';
import { toast } from '@/ui/toast';
import { settingsApi, useSettingsWrite, workspaceQuery } from './queries';
import classes from './Settings.module.css';

const REENGAGE_HOURS = 24;
const IP_WINDOW_MINUTES = 30;

/** Those that the browser knows by name, UTC and the one that is set. */
const timezones = (set: string) => [...new Set(['UTC', set, ...Intl.supportedValuesOf('timeZone')])];

export function WorkspaceSettings() {
  const workspace = useQuery(workspaceQuery);
  if (workspace.isPending) return <Skeleton h={320} />;
  if (workspace.isError) return <Failure error={workspace.error} retry={() => void workspace.refetch()} />;
  return <WorkspaceForm key={workspace.data.id} workspace={workspace.data} />;
}

function WorkspaceForm({ workspace }: { workspace: Workspace }) {
  const client = useQueryClient();
  const why = usePermits().why('settings:manage');
  const { settings } = workspace;
  const form = useForm({
    initialValues: {
      name: workspace.name,
      reengageHours: settings.reengageHours ?? REENGAGE_HOURS,
      ipWindowMinutes: settings.ipWindowMinutes ?? IP_WINDOW_MINUTES,
      defaultCountry: settings.defaultCountry ?? '',
      timezone: settings.timezone,
      currency: settings.currency,
      requireSecondFactor: settings.requireSecondFactor,
      auditDays: settings.auditDays,
    },
    validate: {
      name: (value) => (value.trim() ? null : 'Give the workspace a name.'),
      defaultCountry: (value) => (/^([A-Za-z]{2})?$/.test(value.trim()) ? null : 'Two letters, such as DE or US.'),
      currency: (value) => (/^[A-Za-z]{3}$/.test(value.trim()) ? null : 'Three letters, such as EUR or USD.'),
    },
  });
  const save = useSettingsWrite('workspace', settingsApi.saveWorkspace);
  useBlocker({
    shouldBlockFn: () => form.isDirty() && !window.confirm('Leave without saving the changes?'),
    enableBeforeUnload: () => form.isDirty(),
  });
  const submit = form.onSubmit(({ name, defaultCountry, ...rest }) =>
    save.mutate(
      { name: name.trim(), settings: { ...rest, defaultCountry: defaultCountry.trim().toUpperCase() || null } },
      {
        onSuccess: () => {
          form.resetDirty();
          toast('Saved');
          void client.invalidateQueries({ queryKey: ['session'] });
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );
  const readOnly = why !== undefined;
  return (
    <form onSubmit={submit} className={classes.form} noValidate>
      <Stack gap="md">
        {save.isError && <Alert color="red">{messageOf(save.error)}</Alert>}
        <TextInput label="Name" readOnly={readOnly} {...form.getInputProps('name')} />
        <NumberInput
          label="Counts as come back after (hours)"
          description="A known lead that sends again after this long is told apart from one that just sent twice. 0 switches that off."
          size="sm"
          min={0}
          allowDecimal={false}
          readOnly={readOnly}
          {...form.getInputProps('reengageHours')}
        />
        <NumberInput
          label="Same network counts as the same person for (minutes)"
          description="Only for submissions from browsers. 0 switches it off."
          size="sm"
          min={0}
          allowDecimal={false}
          readOnly={readOnly}
          {...form.getInputProps('ipWindowMinutes')}
        />
        <TextInput
          label="Default country"
          description="For phone numbers without a country code."
          placeholder="DE"
          maxLength={2}
          readOnly={readOnly}
          {...form.getInputProps('defaultCountry')}
        />
        <Select
          label="Timezone"
          description="Days of the ledger and business hours follow it."
          data={timezones(settings.timezone)}
          searchable
          allowDeselect={false}
          readOnly={readOnly}
          {...form.getInputProps('timezone')}
        />
        <TextInput
          label="Currency"
          description="What leads are quoted and sold in. Amounts stay as they are when it changes."
          placeholder="EUR"
          maxLength={3}
          readOnly={readOnly}
          {...form.getInputProps('currency')}
        />
        <Switch
          label="Everybody needs a second factor"
          description="Whoever has none can do nothing but set one up, from their next click on. Tokens are not affected."
          disabled={readOnly}
          {...form.getInputProps('requireSecondFactor', { type: 'checkbox' })}
        />
        <NumberInput
          label="Keep the audit log for (days)"
          description="30 days at least."
          size="sm"
          min={30}
          max={3650}
          allowDecimal={false}
          readOnly={readOnly}
          {...form.getInputProps('auditDays')}
        />
        <div>
          <PermitButton type="submit" size="sm" why={why} loading={save.isPending}>
            Save
          </PermitButton>
        </div>
      </Stack>
    </form>
  );
}
