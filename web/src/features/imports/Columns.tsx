import { NativeSelect, Table, TextInput } from '@mantine/core';
import type { Import } from '@/api/shapes';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import classes from './Imports.module.css';
import type { ColumnChoice } from './queries';
import { TARGETS } from './targets';

interface ColumnsProps {
  file: Import;
  choice: ColumnChoice[];
  onChange: (choice: ColumnChoice[]) => void;
}

/** Each column with some of its values, and what it is for. */
export function Columns({ file, choice, onChange }: ColumnsProps) {
  const change = (index: number, next: ColumnChoice) => onChange(choice.map((one, at) => (at === index ? next : one)));
  return (
    <div className={classes.columns}>
      <ScrollTable label="Columns of the file">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Column</Table.Th>
            <Table.Th>First values</Table.Th>
            <Table.Th>Becomes</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {file.columns.map(({ column, samples }, index) => {
            const chosen = choice[index];
            if (!chosen) return null;
            return (
              <Table.Tr key={column}>
                <Cell>{column}</Cell>
                <Cell label="First values">
                  <span className={classes.samples}>{samples.join(' · ')}</span>
                </Cell>
                <Cell label="Becomes">
                  <span className={classes.target}>
                    <NativeSelect
                      size="xs"
                      aria-label={`What ${column} becomes`}
                      data={TARGETS}
                      value={chosen.target}
                      onChange={({ currentTarget: { value } }) =>
                        change(index, value === 'custom' ? { target: value, name: column } : { target: value })
                      }
                    />
                    {chosen.target === 'custom' && (
                      <TextInput
                        size="xs"
                        aria-label={`Name of the custom field for ${column}`}
                        placeholder="Name of the field"
                        maxLength={100}
                        value={chosen.name ?? ''}
                        // Another name is another field: its key is made anew.
                        onChange={({ currentTarget: { value } }) => change(index, { target: 'custom', name: value })}
                      />
                    )}
                  </span>
                </Cell>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </ScrollTable>
    </div>
  );
}
