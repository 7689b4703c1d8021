import { ActionIcon, Button, NumberInput, Select, TextInput } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import classes from './Scoring.module.css';
import { RULE_FIELDS, RULE_TESTS, type Rule } from './scoringWords';

interface ScoringRulesProps {
  rules: Rule[];
  faultAt: (pointer: string) => string | undefined;
  readOnly: boolean;
  onChange: (rules: Rule[]) => void;
}

const MOST_RULES = 50;

/** The workspace's own rules: points for what stands in a lead's fields. */
export function ScoringRules({ rules, faultAt, readOnly, onChange }: ScoringRulesProps) {
  const put = (place: number, rule: Rule) => onChange(rules.map((other, index) => (index === place ? rule : other)));
  const add = () => onChange([...rules, { field: 'title', test: 'contains', value: '', points: 5 }]);
  return (
    <section aria-label="Your own rules">
      <h3 className={classes.subhead}>Your own rules</h3>
      <p className={classes.small}>Points for what stands in a field. Upper and lower case are the same.</p>
      <ol className={classes.rules}>
        {rules.map((rule, place) => (
          // Rules have no ids, and their places are what the server's faults point at.
          // biome-ignore lint/suspicious/noArrayIndexKey: the place is the rule's name
          <li key={place} className={classes.rule}>
            <RuleFields
              name={`Rule ${place + 1}`}
              rule={rule}
              faultAt={(field) => faultAt(`/rules/${place}/${field}`)}
              readOnly={readOnly}
              onChange={(changed) => put(place, changed)}
            />
            {!readOnly && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove rule ${place + 1}`}
                onClick={() => onChange(rules.filter((_, index) => index !== place))}
              >
                <IconX size={16} />
              </ActionIcon>
            )}
          </li>
        ))}
      </ol>
      {!readOnly && rules.length < MOST_RULES && (
        <Button variant="default" size="xs" onClick={add}>
          Add a rule
        </Button>
      )}
    </section>
  );
}

interface RuleFieldsProps {
  name: string;
  rule: Rule;
  faultAt: (field: string) => string | undefined;
  readOnly: boolean;
  onChange: (rule: Rule) => void;
}

function RuleFields({ name, rule, faultAt, readOnly, onChange }: RuleFieldsProps) {
  return (
    <>
      <Select
        size="xs"
        aria-label={`${name}: field`}
        allowDeselect={false}
        readOnly={readOnly}
        data={RULE_FIELDS}
        value={rule.field}
        onChange={(field) => field && onChange({ ...rule, field: field as Rule['field'] })}
      />
      {rule.field === 'customField' && (
        <TextInput
          size="xs"
          aria-label={`${name}: key of the custom field`}
          placeholder="budget"
          readOnly={readOnly}
          value={rule.customField ?? ''}
          error={faultAt('customField')}
          onChange={(event) => onChange({ ...rule, customField: event.currentTarget.value })}
        />
      )}
      <Select
        size="xs"
        aria-label={`${name}: how it is compared`}
        allowDeselect={false}
        readOnly={readOnly}
        data={RULE_TESTS}
        value={rule.test}
        onChange={(test) => test && onChange({ ...rule, test: test as Rule['test'] })}
      />
      <TextInput
        size="xs"
        aria-label={`${name}: value`}
        placeholder="Value"
        maxLength={200}
        readOnly={readOnly}
        value={rule.value}
        error={faultAt('value')}
        onChange={(event) => onChange({ ...rule, value: event.currentTarget.value })}
      />
      <NumberInput
        size="xs"
        w={84}
        aria-label={`${name}: points`}
        min={-100}
        max={100}
        allowDecimal={false}
        readOnly={readOnly}
        value={rule.points}
        error={faultAt('points')}
        onChange={(points) => onChange({ ...rule, points: Number(points) || 0 })}
      />
    </>
  );
}
