# One fold by R's caret. Rscript caret.R METHOD [tune=N] [preprocess=a,b] [PARAMETER=VALUE ...]; docs/programs.md.
suppressPackageStartupMessages(library(caret))
arguments <- commandArgs(trailingOnly = TRUE)
told <- function(key) Sys.getenv(paste0("MODEL_CHECK_", key))
options(digits = 17)
set.seed(as.integer(told("SEED")))

method <- arguments[1]
given <- strsplit(arguments[-1], "=", fixed = TRUE)
given <- setNames(lapply(given, function(pair) pair[2]), vapply(given, function(pair) pair[1], ""))
tune <- as.integer(if (is.null(given$tune)) 0 else given$tune)
preprocess <- if (is.null(given$preprocess)) NULL else strsplit(given$preprocess, ",", fixed = TRUE)[[1]]
grid <- given[!names(given) %in% c("tune", "preprocess")]

target <- told("TARGET")
is_classifier <- told("TASK") == "classification"
kinds <- if (is_classifier) setNames("character", target) else NA
train <- read.csv(told("TRAIN"), check.names = FALSE, stringsAsFactors = FALSE, colClasses = kinds)
test <- read.csv(told("TEST"), check.names = FALSE, stringsAsFactors = FALSE)
weight <- told("SAMPLE_WEIGHT")
weights <- if (weight == "") NULL else train[[weight]]
if (weight != "" && !"Accepts Case Weights" %in% getModelInfo(method, regex = FALSE)[[1]]$tags) {
  stop("caret's ", method, " takes no case weights: leave sample_weight= out, or use another method (glm, rpart, gbm)")
}
features <- setdiff(names(train), c(weight, target))
for (column in features) {
  if (is.character(train[[column]]) || is.character(test[[column]])) { # a label that only the test file has is missing
    train[[column]] <- factor(train[[column]])
    test[[column]] <- factor(test[[column]], levels = levels(train[[column]]))
  }
}

y <- train[[target]]
labels <- character()
if (is_classifier) { # R wants labels that are names
  labels <- sort(unique(y))
  y <- factor(match(y, labels), levels = seq_along(labels), labels = paste0("label", seq_along(labels)))
}
has_probabilities <- is_classifier && !is.null(getModelInfo(method, regex = FALSE)[[1]]$prob)
control <- if (tune > 0) {
  trainControl(method = "cv", number = 5, classProbs = has_probabilities)
} else {
  trainControl(method = "none", classProbs = has_probabilities)
}
tune_grid <- if (length(grid)) as.data.frame(lapply(grid, type.convert, as.is = TRUE)) else NULL
fitted <- train(
  x = train[features], y = y, weights = weights, method = method, preProcess = preprocess, trControl = control,
  tuneLength = max(tune, 1), tuneGrid = tune_grid
)

answers <- data.frame(row_id = test$row_id)
predicted <- predict(fitted, test[features])
answers$prediction <- if (is_classifier) labels[as.integer(predicted)] else predicted
if (has_probabilities) {
  probabilities <- predict(fitted, test[features], type = "prob")
  for (i in seq_along(labels)) {
    answers[[paste0("probability_", labels[i])]] <- probabilities[[paste0("label", i)]]
  }
}
write.csv(answers, told("OUTPUT"), row.names = FALSE)
