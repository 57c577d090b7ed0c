/** The panels of a desktop, a tab each. Widgets are added under Extended Panel, and stay in every layout. */
import { Tab, TabList, TabPanel, TabPanels, Tabs } from 'react-aria-components';
import { KIND_NAMES } from '../lib/capture/words';
import { useT } from '../lib/i18n';
import css from './admin.module.css';
import type { WidgetsPanelProps } from './widgets-panel';
import { WidgetsPanel } from './widgets-panel';

export function DesktopPanels(props: WidgetsPanelProps) {
  const t = useT();
  return (
    <Tabs defaultSelectedKey="extended_panel">
      <TabList className={css.tabs!} aria-label={t('editor.panels')}>
        <Tab id="agent_panel" className={css.tab!}>
          {t('editor.tab.agent_panel')}
        </Tab>
        <Tab id="extended_panel" className={css.tab!}>
          {t('editor.tab.extended_panel')}
        </Tab>
      </TabList>
      <TabPanels>
        <TabPanel id="agent_panel" className={css.tabPanel!}>
          <AgentPanel {...props} />
        </TabPanel>
        <TabPanel id="extended_panel" className={css.tabPanel!}>
          <WidgetsPanel {...props} />
        </TabPanel>
      </TabPanels>
    </Tabs>
  );
}

/** What of the desktop's widgets an agent's control buttons open. */
function AgentPanel({ draft }: WidgetsPanelProps) {
  const t = useT();
  const enabled = draft.widgets.filter((widget) => widget.enabled);
  return (
    <section className={css.panel} aria-labelledby="agent-panel-title">
      <h2 id="agent-panel-title">{t('editor.agent_panel')}</h2>
      <p className={css.hint}>{t('editor.agent_panel_text')}</p>
      {enabled.length === 0 ? (
        <p className={css.empty}>{t('preview.nothing')}</p>
      ) : (
        <ol className={css.wrongs}>
          {enabled.map(({ key, kind, title }) => (
            <li key={key}>
              <strong>{title}</strong> <span className={css.hint}>{t(KIND_NAMES[kind])}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
