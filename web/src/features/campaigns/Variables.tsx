import { NativeSelect, TextInput } from '@mantine/core';
import classes from './Campaigns.module.css';
import { OWN, type VariableDraft } from './draft';

const FIELDS = ['firstName', 'lastName', 'name', 'email', 'phone', 'company', 'title', 'project'];

interface VariablesProps {
  names: string[];
  variables: Record<string, VariableDraft>;
  readOnly: boolean;
  fault: string | undefined;
  onChange: (variables: Record<string, VariableDraft>) => void;
}

/** What stands in place of the template's placeholders. */
export function Variables({ names, variables, readOnly, fault, onChange }: VariablesProps) {
  return (
    <fieldset className={classes.variables}>
      <legend className={classes.note}>What stands in place of the template’s placeholders</legend>
      {names.map((name) => {
        const variable = variables[name] ?? OWN;
        const set = (part: Partial<VariableDraft>) => onChange({ ...variables, [name]: { ...variable, ...part } });
        return (
          <div key={name} className={classes.variable}>
            <code>{name}</code>
            {variable.kind === 'text' ? (
              <TextInput
                aria-label={`${name}: words`}
                placeholder="These words"
                maxLength={500}
                readOnly={readOnly}
                value={variable.text}
                onChange={(event) => set({ text: event.currentTarget.value })}
              />
            ) : (
              <NativeSelect
                aria-label={`${name}: value`}
                disabled={readOnly}
                value={variable.kind === 'own' ? '' : variable.field}
                onChange={(event) => {
                  const value = event.currentTarget.value;
                  if (value === '=') set({ kind: 'text' });
                  else set(value ? { kind: 'field', field: value } : { kind: 'own', field: '' });
                }}
                data={[
                  { value: '', label: 'Its own value' },
                  ...FIELDS.filter((field) => field !== name).map((field) => ({ value: field, label: field })),
                  ...(variable.field && !FIELDS.includes(variable.field)
                    ? [{ value: variable.field, label: variable.field }]
                    : []),
                  { value: '=', label: 'The same words for all…' },
                ]}
              />
            )}
            <TextInput
              aria-label={`${name}: where there is none`}
              placeholder="Where there is none"
              maxLength={500}
              readOnly={readOnly}
              value={variable.fallback}
              onChange={(event) => set({ fallback: event.currentTarget.value })}
            />
          </div>
        );
      })}
      {fault && <p className={classes.failure}>{fault}</p>}
    </fieldset>
  );
}
