import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  TextInput,
} from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { pipelinesQuery } from '@/api/lookups';
import { blankGoal, type Platform, STEPS } from './conversions';
import classes from './Destinations.module.css';
import type { DestinationValues } from './values';

interface ConversionFieldsProps {
  form: UseFormReturnType<DestinationValues>;
  platform: Platform;
  /** Whether a token is kept already. */
  hasToken: boolean;
}

/** Which steps of a lead an ad platform is told of, and as what. */
export function ConversionFields({ form, platform, hasToken }: ConversionFieldsProps) {
  const isGoogle = form.values.format === 'google_ads';
  const byFile = isGoogle && form.values.conversions.upload === 'file';
  return (
    <Stack gap="sm">
      {isGoogle && (
        <Select
          label="How conversions get there"
          description={
            byFile
              ? 'Nothing is sent. The destination’s page has a file to download and to upload in Google Ads.'
              : 'One request for each conversion. Google Ads also asks for OAuth: see “Signing in” below.'
          }
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          allowDeselect={false}
          data={[
            { value: 'request', label: 'As requests' },
            { value: 'file', label: 'In a file that I upload' },
          ]}
          {...form.getInputProps('conversions.upload')}
        />
      )}
      {!byFile && (
        <PasswordInput
          label={platform.tokenLabel}
          description={`${platform.tokenSays} ${hasToken ? 'One is kept; leave this empty to keep it.' : 'It is stored encrypted and not shown again.'}`}
          autoComplete="off"
          {...form.getInputProps('access.token')}
          error={form.errors.token ?? form.errors['access.token']}
        />
      )}
      <Goals form={form} platform={platform} byFile={byFile} />
      <Group grow align="flex-start">
        <TextInput
          label="Value from the field"
          description="The key of a custom field with an amount, such as deal. Without one, what the lead was sold for counts, and else the value above."
          placeholder="None"
          {...form.getInputProps('conversions.valueField')}
        />
        {isGoogle && !byFile && (
          <TextInput
            label="Manager account"
            description="Its customer id, where you reach the account through one."
            placeholder="123-456-7890"
            {...form.getInputProps('conversions.loginCustomerId')}
          />
        )}
        {!isGoogle && (
          <TextInput
            label="Test event code"
            description="Shows events under “Test events” in place of counting them. Take it out when all is well."
            placeholder="TEST12345"
            {...form.getInputProps('conversions.testEventCode')}
          />
        )}
      </Group>
      {isGoogle && !byFile && (
        <Checkbox
          label="Also send the hashed e-mail address and phone number (enhanced conversions for leads)"
          {...form.getInputProps('conversions.withIdentifiers', { type: 'checkbox' })}
        />
      )}
      {!isGoogle && (
        <Select
          label="Where it happened"
          allowDeselect={false}
          data={[
            { value: 'system_generated', label: 'In this program (system_generated)' },
            { value: 'website', label: 'On the website, where browser and page are known (website)' },
          ]}
          {...form.getInputProps('conversions.actionSource')}
        />
      )}
    </Stack>
  );
}

interface GoalsProps {
  form: UseFormReturnType<DestinationValues>;
  platform: Platform;
  byFile: boolean;
}

function Goals({ form, platform, byFile }: GoalsProps) {
  const { goals } = form.values.conversions;
  const wantsAction = form.values.format === 'google_ads' && !byFile;
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const stages = pipelines.flatMap(({ name, stages: inside }) =>
    inside.map((stage) => ({ value: stage.id, label: pipelines.length > 1 ? `${name}: ${stage.name}` : stage.name })),
  );
  return (
    <fieldset className={classes.goals}>
      <legend>Conversions</legend>
      <p className={classes.dim}>
        Each lead counts once for each of these. One that the platform cannot match is not sent, and is listed as
        skipped.
      </p>
      {form.errors['conversions.goals'] && <p className={classes.wrong}>{form.errors['conversions.goals']}</p>}
      {goals.map((goal, index) => {
        const field = (name: string) => form.getInputProps(`conversions.goals.${index}.${name}`);
        return (
          <div key={goal.key} className={classes.goal}>
            <div className={classes.goalFields}>
              <Select label="When" allowDeselect={false} data={STEPS} {...field('on')} />
              {goal.on === 'stage' && (
                <Select label="Stage" searchable data={stages} {...field('stageId')} value={goal.stageId || null} />
              )}
              <TextInput label={platform.nameLabel} {...field('name')} />
              {wantsAction && (
                <TextInput label="Conversion action" placeholder="Its id (ctId)" {...field('conversionAction')} />
              )}
              <NumberInput label="Value" placeholder="None" min={0} {...field('value')} />
              <TextInput label="Currency" placeholder="EUR" maxLength={3} {...field('currency')} />
            </div>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Remove ${goal.name || 'this conversion'}`}
              onClick={() => form.removeListItem('conversions.goals', index)}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </div>
        );
      })}
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => form.insertListItem('conversions.goals', blankGoal(goals.length ? '' : platform.firstName))}
      >
        Add a conversion
      </Button>
    </fieldset>
  );
}
