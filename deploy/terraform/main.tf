# The event bus, the rule that passes every event of DataWorks, and its target. Not covered: the distribution channel
# and the extension, which exist in the DataWorks console only (docs/eventbridge.md, steps 4 and 5).

data "alicloud_account" "current" {}

locals {
  bus     = var.bus == "custom" ? alicloud_event_bridge_event_bus.dwgate[0].event_bus_name : "default"
  pattern = file("${path.module}/event_pattern.json")
}

resource "alicloud_event_bridge_event_bus" "dwgate" {
  count          = var.bus == "custom" ? 1 : 0
  event_bus_name = var.name
  description    = "Events of DataWorks for dwgate"
}

resource "alicloud_event_bridge_rule" "http" {
  count          = var.source_type == "http" ? 1 : 0
  event_bus_name = local.bus
  rule_name      = "${var.name}-http"
  description    = "Events of DataWorks to dwgate ingest"
  filter_pattern = local.pattern

  targets {
    target_id           = "ingest"
    type                = "https"
    endpoint            = var.ingest_url
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"

    param_list {
      resource_key = "url"
      form         = "CONSTANT"
      value        = var.ingest_url
    }

    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }

    param_list {
      resource_key = "Network"
      form         = "CONSTANT"
      value        = "PublicNetwork"
    }

    param_list {
      resource_key = "Token"
      form         = "CONSTANT"
      value        = var.token
    }

    dynamic "dead_letter_queue" {
      for_each = var.dead_letter_queue == null ? [] : [var.dead_letter_queue]

      content {
        arn = dead_letter_queue.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = startswith(coalesce(var.ingest_url, "-"), "https://") && length(coalesce(var.token, "-")) >= 24
      error_message = "The source http needs ingest_url, https://…, and a token of at least 24 characters."
    }
  }
}

resource "alicloud_amqp_virtual_host" "events" {
  count             = var.source_type == "amqp" ? 1 : 0
  instance_id       = var.rabbitmq_instance
  virtual_host_name = var.rabbitmq_vhost

  lifecycle {
    precondition {
      condition     = var.rabbitmq_instance != null
      error_message = "The source amqp needs rabbitmq_instance."
    }
  }
}

resource "alicloud_amqp_exchange" "dead" {
  count             = var.source_type == "amqp" ? 1 : 0
  instance_id       = var.rabbitmq_instance
  virtual_host_name = alicloud_amqp_virtual_host.events[0].virtual_host_name
  exchange_name     = "${var.rabbitmq_queue}.dead"
  exchange_type     = "FANOUT"
  auto_delete_state = false
  internal          = false
}

resource "alicloud_amqp_queue" "dead" {
  count             = var.source_type == "amqp" ? 1 : 0
  instance_id       = var.rabbitmq_instance
  virtual_host_name = alicloud_amqp_virtual_host.events[0].virtual_host_name
  queue_name        = "${var.rabbitmq_queue}.dead"
}

resource "alicloud_amqp_binding" "dead" {
  count             = var.source_type == "amqp" ? 1 : 0
  instance_id       = var.rabbitmq_instance
  virtual_host_name = alicloud_amqp_virtual_host.events[0].virtual_host_name
  source_exchange   = alicloud_amqp_exchange.dead[0].exchange_name
  destination_name  = alicloud_amqp_queue.dead[0].queue_name
  binding_type      = "QUEUE"
  binding_key       = "dead"
}

# After its last permitted delivery a message goes to the queue of dead letters instead of being dropped.
resource "alicloud_amqp_queue" "events" {
  count                = var.source_type == "amqp" ? 1 : 0
  instance_id          = var.rabbitmq_instance
  virtual_host_name    = alicloud_amqp_virtual_host.events[0].virtual_host_name
  queue_name           = var.rabbitmq_queue
  dead_letter_exchange = alicloud_amqp_exchange.dead[0].exchange_name
}

resource "alicloud_event_bridge_service_linked_role" "rabbitmq" {
  count        = var.source_type == "amqp" ? 1 : 0
  product_name = "AliyunServiceRoleForEventBridgeSendToRabbitMQ"
}

resource "alicloud_event_bridge_rule" "amqp" {
  count          = var.source_type == "amqp" ? 1 : 0
  event_bus_name = local.bus
  rule_name      = "${var.name}-amqp"
  description    = "Events of DataWorks to the queue of dwgate ingest"
  filter_pattern = local.pattern

  targets {
    target_id           = "queue"
    type                = "acs.rabbitmq"
    endpoint            = local.instance_arn
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"

    param_list {
      resource_key = "VirtualHostName"
      form         = "CONSTANT"
      value        = var.rabbitmq_vhost
    }

    param_list {
      resource_key = "TargetType"
      form         = "CONSTANT"
      value        = "Queue"
    }

    param_list {
      resource_key = "QueueName"
      form         = "CONSTANT"
      value        = alicloud_amqp_queue.events[0].queue_name
    }

    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }

    dynamic "dead_letter_queue" {
      for_each = var.dead_letter_queue == null ? [] : [var.dead_letter_queue]

      content {
        arn = dead_letter_queue.value
      }
    }
  }

  depends_on = [alicloud_event_bridge_service_linked_role.rabbitmq]
}
