import {
  ActionIcon,
  Button,
  Drawer,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { filterFieldsQuery } from '@/api/lookups';
import type { FilterField } from '@/api/shapes';
import { Failure } from '@/ui/basics';
import {
  type Condition,
  conditionsOf,
  emptyGroup,
  GROUPS_DEEP,
  type Group,
  type Input,
  isComplete,
  isGroup,
  type Node,
  newCondition,
  operatorOf,
  operatorsOf,
  PERIODS,
  UNITS,
  withOperator,
  withValue,
} from './conditions';
import classes from './FilterBuilder.module.css';
import { useFieldOptions } from './fieldOptions';

/** Fields that are chosen from a list the screens do not have. */
const WITHOUT_LIST = ['sourceId'];
const FIRST_FIELD = 'score';

interface FilterBuilderProps {
  opened: boolean;
  filter: Group | null;
  onClose: () => void;
  onApply: (filter: Group) => void;
}

export function FilterBuilder({ opened, filter, onClose, onApply }: FilterBuilderProps) {
  const isPhone = useMediaQuery('(max-width: 48em)');
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size={isPhone ? '100%' : 520}
      title="Filter by conditions"
      closeButtonProps={{ 'aria-label': 'Close the filter' }}
    >
      {opened && <Builder filter={filter} onClose={onClose} onApply={onApply} />}
    </Drawer>
  );
}

/** The fields that conditions can be built on. */
export const knownFields = (fields: FilterField[]) => fields.filter(({ name }) => !WITHOUT_LIST.includes(name));

/** Whether every condition of a group has its value. */
export function isWhole(group: Group, fields: FilterField[]): boolean {
  const inputOf = ({ field, op }: Condition): Input => {
    const kind = fields.find(({ name }) => name === field)?.kind;
    return (kind && operatorOf(kind, op)?.input) ?? 'none';
  };
  return conditionsOf(group).every((condition) => isComplete(condition, inputOf(condition)));
}

function Builder({ filter, onClose, onApply }: Omit<FilterBuilderProps, 'opened'>) {
  const fields = useQuery(filterFieldsQuery);
  const [draft, setDraft] = useState<Group>(() => filter ?? emptyGroup());
  const [tried, setTried] = useState(false);
  if (fields.isError) return <Failure error={fields.error} retry={() => void fields.refetch()} />;
  if (!fields.data) return null;
  const known = knownFields(fields.data);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isWhole(draft, known)) onApply(draft);
  };
  return (
    <form onSubmit={submit}>
      <GroupFields group={draft} fields={known} depth={1} tried={tried} onChange={setDraft} />
      <div className={classes.foot}>
        <Button type="submit">Apply</Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        {filter && (
          <Button className={classes.end} variant="subtle" color="gray" onClick={() => onApply(emptyGroup())}>
            Remove the filter
          </Button>
        )}
      </div>
    </form>
  );
}

interface GroupProps {
  group: Group;
  fields: FilterField[];
  depth: number;
  tried: boolean;
  onChange: (group: Group) => void;
  onRemove?: () => void;
}

export function GroupFields({ group, fields, depth, tried, onChange, onRemove }: GroupProps) {
  const replace = (at: number, node: Node | null) => {
    const children = group.children.flatMap((child, index) => (index === at ? (node ? [node] : []) : [child]));
    onChange({ ...group, children });
  };
  const add = (node: Node) => onChange({ ...group, children: [...group.children, node] });
  const first = fields.find(({ name }) => name === FIRST_FIELD) ?? fields[0];
  return (
    <fieldset className={depth > 1 ? classes.group : classes.outer}>
      <legend className="visually-hidden">{depth > 1 ? 'Group of conditions' : 'Conditions'}</legend>
      <div className={classes.head}>
        <SegmentedControl
          size="xs"
          aria-label="Leads match"
          value={group.match}
          data={[
            { value: 'all', label: 'All of these' },
            { value: 'any', label: 'Any of these' },
          ]}
          onChange={(match) => onChange({ ...group, match: match === 'any' ? 'any' : 'all' })}
        />
        {onRemove && (
          <ActionIcon variant="subtle" color="gray" aria-label="Remove the group" onClick={onRemove}>
            <IconTrash size={15} />
          </ActionIcon>
        )}
      </div>
      {group.children.map((child, index) => {
        // Conditions have no name of their own; their place is the best there is.
        const key = `${index}-${isGroup(child) ? 'group' : child.field}`;
        return isGroup(child) ? (
          <GroupFields
            key={key}
            group={child}
            fields={fields}
            depth={depth + 1}
            tried={tried}
            onChange={(changed) => replace(index, changed)}
            onRemove={() => replace(index, null)}
          />
        ) : (
          <ConditionFields
            key={key}
            condition={child}
            fields={fields}
            tried={tried}
            onChange={(changed) => replace(index, changed)}
            onRemove={() => replace(index, null)}
          />
        );
      })}
      <div className={classes.actions}>
        {first && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={13} />}
            onClick={() => add(newCondition(first))}
          >
            Add condition
          </Button>
        )}
        {first && depth < GROUPS_DEEP && (
          <Button
            variant="subtle"
            size="xs"
            onClick={() => add({ match: group.match === 'all' ? 'any' : 'all', children: [newCondition(first)] })}
          >
            Add group
          </Button>
        )}
      </div>
    </fieldset>
  );
}

interface ConditionProps {
  condition: Condition;
  fields: FilterField[];
  tried: boolean;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}

function ConditionFields({ condition, fields, tried, onChange, onRemove }: ConditionProps) {
  const field = fields.find(({ name }) => name === condition.field);
  const operators = field ? operatorsOf(field) : [];
  const input = operators.find(({ op }) => op === condition.op)?.input ?? 'none';
  const groups = [...new Set(fields.map(({ group }) => group))];
  const byGroup = groups.map((group) => ({
    group,
    items: fields.filter((each) => each.group === group).map(({ name, label }) => ({ value: name, label })),
  }));
  const choose = (name: string | null) => {
    const chosen = fields.find((each) => each.name === name);
    if (chosen) onChange(newCondition(chosen));
  };
  return (
    <div className={classes.condition}>
      <Select
        size="xs"
        aria-label="Field"
        searchable
        allowDeselect={false}
        data={byGroup}
        value={condition.field}
        placeholder={field ? undefined : condition.field}
        error={field ? undefined : 'This field does not exist any more.'}
        nothingFoundMessage="There is no such field"
        onChange={choose}
      />
      <Select
        size="xs"
        aria-label="Operator"
        allowDeselect={false}
        data={operators.map(({ op, label }) => ({ value: op, label }))}
        value={condition.op}
        onChange={(op) => field && op && onChange(withOperator(condition, field.kind, op))}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Remove the condition on ${field?.label ?? condition.field}`}
        onClick={onRemove}
      >
        <IconTrash size={15} />
      </ActionIcon>
      {field && input !== 'none' && (
        <div className={classes.value}>
          <ValueInput
            field={field}
            input={input}
            value={condition.value}
            error={tried && !isComplete(condition, input) ? 'Enter a value.' : undefined}
            onChange={(value) => onChange(withValue(condition, value))}
          />
        </div>
      )}
    </div>
  );
}

interface ValueProps {
  field: FilterField;
  input: Input;
  value: unknown;
  error: string | undefined;
  onChange: (value: unknown) => void;
}

const asText = (value: unknown) => (typeof value === 'string' ? value : '');
const asTexts = (value: unknown) => (Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []);
const asNumber = (value: unknown) => (typeof value === 'number' ? value : '');

function ValueInput({ field, input, value, error, onChange }: ValueProps) {
  const options = useFieldOptions()(field);
  const label = `Value of ${field.label}`;
  const shared = { size: 'xs', 'aria-label': label, error } as const;
  switch (input) {
    case 'none':
      return null;
    case 'text':
      return <TextInput {...shared} value={asText(value)} onChange={(event) => onChange(event.currentTarget.value)} />;
    case 'texts':
      return <TagsInput {...shared} placeholder="Enter after each" value={asTexts(value)} onChange={onChange} />;
    case 'number':
      return <NumberInput {...shared} value={asNumber(value)} onChange={onChange} />;
    case 'date':
      return (
        <TextInput
          {...shared}
          type="date"
          value={asText(value).slice(0, 10)}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'numbers':
    case 'dates':
      return <PairInput {...{ field, input, value, error, onChange }} />;
    case 'age':
      return <AgeInput {...{ field, input, value, error, onChange }} />;
    case 'period':
      return (
        <Select
          {...shared}
          allowDeselect={false}
          data={PERIODS}
          value={asText(value)}
          onChange={(each) => onChange(each)}
        />
      );
    case 'flag':
      return (
        <SegmentedControl
          size="xs"
          aria-label={label}
          value={value === false ? 'no' : 'yes'}
          data={[
            { value: 'yes', label: 'Yes' },
            { value: 'no', label: 'No' },
          ]}
          onChange={(answer) => onChange(answer === 'yes')}
        />
      );
    case 'one':
      if (options.length === 0) {
        return (
          <TextInput {...shared} value={asText(value)} onChange={(event) => onChange(event.currentTarget.value)} />
        );
      }
      return (
        <Select {...shared} searchable data={options} value={asText(value)} onChange={(each) => onChange(each ?? '')} />
      );
    case 'several':
      if (options.length === 0) {
        return <TagsInput {...shared} placeholder="Enter after each" value={asTexts(value)} onChange={onChange} />;
      }
      return <MultiSelect {...shared} searchable data={options} value={asTexts(value)} onChange={onChange} />;
  }
}

function PairInput({ field, input, value, error, onChange }: ValueProps) {
  const [first, second]: unknown[] = Array.isArray(value) ? value : [];
  const part = (name: string, each: unknown, put: (each: unknown) => void, wrong: string | undefined) => {
    const shared = { size: 'xs', 'aria-label': `${name} of ${field.label}`, error: wrong } as const;
    return input === 'numbers' ? (
      <NumberInput {...shared} value={asNumber(each)} onChange={put} />
    ) : (
      <TextInput
        {...shared}
        type="date"
        value={asText(each).slice(0, 10)}
        onChange={(event) => put(event.currentTarget.value)}
      />
    );
  };
  return (
    <div className={classes.pair}>
      {part('Beginning', first, (each) => onChange([each, second ?? '']), error)}
      {part('End', second, (each) => onChange([first ?? '', each]), undefined)}
    </div>
  );
}

function AgeInput({ field, value, error, onChange }: ValueProps) {
  const { amount, unit } = (value ?? {}) as { amount?: number; unit?: string };
  return (
    <div className={classes.pair}>
      <NumberInput
        size="xs"
        aria-label={`How many, for ${field.label}`}
        min={1}
        max={10_000}
        allowDecimal={false}
        error={error}
        value={amount ?? 1}
        onChange={(next) => onChange({ amount: Number(next) || 1, unit: unit ?? 'days' })}
      />
      <Select
        size="xs"
        aria-label={`Unit, for ${field.label}`}
        allowDeselect={false}
        data={UNITS}
        value={unit ?? 'days'}
        onChange={(next) => onChange({ amount: amount ?? 1, unit: next ?? 'days' })}
      />
    </div>
  );
}
