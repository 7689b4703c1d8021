import { ActionIcon } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FilterField } from '@/api/shapes';
import { later, OnDemand } from '@/ui/onDemand';

const FieldList = later(() => import('./FieldList'));

export interface FieldMenuProps {
  label: string;
  icon: ReactNode;
  /** What there is to choose, of the fields that leads have. */
  choices: (fields: FilterField[]) => { key: string; label: string }[];
  shown: readonly string[];
  onChange: (shown: string[]) => void;
  onReset: () => void;
}

/** Chooses what is shown. */
export function FieldMenu({ icon, ...list }: FieldMenuProps) {
  return (
    <OnDemand menu={(control) => <FieldList {...list}>{control}</FieldList>}>
      <ActionIcon variant="default" size={30} aria-label={list.label} title={list.label}>
        {icon}
      </ActionIcon>
    </OnDemand>
  );
}
