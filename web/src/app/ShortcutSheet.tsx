import { Kbd, Modal, Text } from '@mantine/core';
import classes from './Shell.module.css';
import { SHORTCUTS } from './shortcuts';

export default function ShortcutSheet({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys">
      {SHORTCUTS.map(({ title, shortcuts }) => (
        <section key={title}>
          <Text size="sm" fw={600} mt="sm" mb={4}>
            {title}
          </Text>
          {shortcuts.map(({ keys, does }) => (
            <div key={does} className={classes.shortcut}>
              <span>{does}</span>
              <span>
                {keys.map((key) => (
                  <Kbd key={key} size="xs" ml={4}>
                    {key}
                  </Kbd>
                ))}
              </span>
            </div>
          ))}
        </section>
      ))}
    </Modal>
  );
}
